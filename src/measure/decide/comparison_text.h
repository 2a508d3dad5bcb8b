// A comparison in words: a paragraph for whoever decides, and the console's table.
#pragma once

#include <string>

#include "measure/decide/comparison.h"

namespace twostroke {

// A few sentences without jargon, numbers with their intervals, and what follows from them.
std::string comparison_paragraph(const Comparison& comparison);
// Verdicts, table of metrics, calibration, break-even, goodput, notes.
std::string comparison_console(const Comparison& comparison);

// "12.3 %" of ln ratios, without a sign when `magnitude`.
std::string percent_text(double log_ratio, bool magnitude = false);
// "[-4.1 %, +2.0 %]".
std::string percent_interval_text(const Interval& log_interval);
// "38", "-" or "too many".
std::string blocks_wanted_text(const PhasePlan& plan);
// "143 tokens (95 % interval 98 to 210)" or what is known instead.
std::string break_even_text(const BreakEven& even);

}  // namespace twostroke

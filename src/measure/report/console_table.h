// The result as text, in the layout that people know from `vllm bench serve`, and what that layout
// has no place for below it: formulas, intervals, interference, checks.
#pragma once

#include <string>

#include "measure/report/result_files.h"

namespace twostroke {

// Lines that end in '\n'. `colors`: ANSI, for a terminal.
std::string console_table(const RunReport& report, bool colors);

}  // namespace twostroke

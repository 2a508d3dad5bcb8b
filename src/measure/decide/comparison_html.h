// A comparison as one self-contained page: no script, nothing loaded from anywhere.
#pragma once

#include <string>

#include "measure/decide/comparison.h"

namespace twostroke {

// `made`: date and program, in words; the page says it at its end.
std::string comparison_html(const Comparison& comparison, const std::string& made);

}  // namespace twostroke

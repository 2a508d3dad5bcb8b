// The part of explain that looks at the prompt: which of its parts cost the prefill, and what had
// been computed before. Used by explain.cpp alone.
#pragma once

#include <string>
#include <vector>

#include "phases/explain.h"

namespace twostroke {

// Those that stand out, in any order; `share` is not set.
std::vector<Finding> findings_of_prompt(const ExplainInput& input);

// " (its recent error: median 3.1 %, 95 % within 9.4 %, 256 steps)", or empty.
std::string cost_model_record(const CostModelError& error);

}  // namespace twostroke

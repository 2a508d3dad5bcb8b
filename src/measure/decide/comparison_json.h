// A comparison as JSON: stable keys, ratios as fractions, milliseconds. Not a number is null.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "measure/decide/comparison.h"

namespace twostroke {

constexpr int kComparisonSchemaVersion = 1;
nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace twostroke

// Fields of a URL's query. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace twostroke {

// The value of the first `name=value`, as written; none when it is not there.
std::optional<std::string_view> query_field(std::string_view query, std::string_view name);

// A number in [lowest, highest]; `otherwise` when it is not there. kInvalidArgument names the
// field, the range and the value.
Result<double> query_number(std::string_view query, std::string_view name, double otherwise,
                            double lowest, double highest);

}  // namespace twostroke

// Text from files and stdin, whole, up to a stated limit.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace twostroke {

inline constexpr size_t kMaxTextBytes = size_t{1} << 30;

Result<std::string> read_text_file(const std::string& path);
Result<std::string> read_stdin();

}  // namespace twostroke

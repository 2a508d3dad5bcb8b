// A text file as its lines that are not blank, with their numbers for messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace twostroke {

struct TextLine {
  size_t number = 0;      // from 1
  std::string_view text;  // without the line's end and blanks around; not empty
};

std::vector<TextLine> text_lines(std::string_view text);

// The whole file. kNotFound or kIo with path and reason, kTooLarge past the limit.
Result<std::string> read_text_file(const std::string& path, size_t max_bytes = size_t{1} << 30);

}  // namespace twostroke

#include "measure/workload/text_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace twostroke {

std::vector<TextLine> text_lines(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  std::vector<TextLine> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    const size_t begin = line.find_first_not_of(kBlank);
    if (begin != std::string_view::npos) {
      lines.push_back({number, line.substr(begin, line.find_last_not_of(kBlank) - begin + 1)});
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Result<std::string> read_text_file(const std::string& path, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    return Error{errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                 fmt::format("cannot open {}: {}", path, std::strerror(errno)), "file"};
  }
  const auto size = static_cast<int64_t>(file.tellg());
  if (size < 0) return Error{ErrorCode::kIo, fmt::format("{} is not a plain file", path), "file"};
  if (static_cast<size_t>(size) > max_bytes) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("{} has {} bytes; the limit is {}", path, size, max_bytes), "file"};
  }
  std::string text(static_cast<size_t>(size), '\0');
  file.seekg(0);
  file.read(text.data(), size);
  if (!file) return Error{ErrorCode::kIo, fmt::format("cannot read {}", path), "file"};
  return text;
}

}  // namespace twostroke

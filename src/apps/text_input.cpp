#include "apps/text_input.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace twostroke {
namespace {

Result<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string text;
  char buffer[1 << 16];
  while (const size_t bytes = std::fread(buffer, 1, sizeof(buffer), file)) {
    if (text.size() + bytes > kMaxTextBytes) {
      return Error{ErrorCode::kTooLarge,
                   fmt::format("{}: more than the limit of {} bytes", name, kMaxTextBytes), name};
    }
    text.append(buffer, bytes);
  }
  if (std::ferror(file) != 0) {
    return Error{ErrorCode::kIo, fmt::format("cannot read {}: {}", name, std::strerror(errno)),
                 name};
  }
  return text;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (file == nullptr) {
    return Error{ErrorCode::kIo, fmt::format("cannot open {}: {}", path, std::strerror(errno)),
                 path};
  }
  return read_all(file.get(), path);
}

Result<std::string> read_stdin() {
  return read_all(stdin, "stdin");
}

}  // namespace twostroke

#include "gguf/gguf_reader.h"

#include <fmt/format.h>

#include <cstring>

#include "gguf/gguf_text.h"

namespace twostroke {

Result<std::span<const uint8_t>> GgufReader::take(uint64_t num_bytes, const char* what) {
  if (num_bytes > remaining()) {
    return corrupt(offset_,
                   fmt::format("expected {} bytes of {}, found {} before the end of the file",
                               num_bytes, what, remaining()));
  }
  const auto taken = bytes_.subspan(offset_, num_bytes);
  offset_ += num_bytes;
  return taken;
}

Result<uint32_t> GgufReader::read_u32(const char* what) {
  const auto bytes = TRY(take(sizeof(uint32_t), what));
  uint32_t value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

Result<uint64_t> GgufReader::read_u64(const char* what) {
  const auto bytes = TRY(take(sizeof(uint64_t), what));
  uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

Result<std::string_view> GgufReader::read_string(const char* what, uint64_t max_bytes) {
  const uint64_t at = offset_;
  const uint64_t length = TRY(read_u64(what));
  if (length > remaining()) {
    return corrupt(at, fmt::format("expected a length of {} within the {} bytes left, found {}",
                                   what, remaining(), length));
  }
  if (length > max_bytes) {
    return error(ErrorCode::kTooLarge, at,
                 fmt::format("expected {} of at most {} bytes, found {}", what, max_bytes, length));
  }
  const auto bytes = TRY(take(length, what));
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<uint64_t> GgufReader::read_count(const char* what, uint64_t min_bytes_each, uint64_t max) {
  const uint64_t at = offset_;
  const uint64_t count = TRY(read_u64(what));
  if (count > remaining() / min_bytes_each) {
    return corrupt(at, fmt::format("expected {} that fits the {} bytes left, found {}", what,
                                   remaining(), count));
  }
  if (count > max) {
    return error(ErrorCode::kTooLarge, at,
                 fmt::format("expected {} of at most {}, found {}", what, max, count));
  }
  return count;
}

Error GgufReader::error(ErrorCode code, uint64_t at, std::string_view message) const {
  std::string text = fmt::format("{}: byte {}: ", file_name_, at);
  if (subject_kind_ != nullptr)
    text += fmt::format("{} {}: ", subject_kind_, gguf_quoted(subject_));
  text += message;
  return Error{code, std::move(text), subject_};
}

}  // namespace twostroke

// Internal to gguf: a cursor over untrusted bytes. Every read is checked against what is left, and
// every failure says the file, the byte offset, what was being read for which key or tensor, what
// was expected and what was found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace twostroke {

class GgufReader {
 public:
  // Both outlive the reader.
  GgufReader(std::span<const uint8_t> bytes, const std::string& file_name)
      : bytes_(bytes), file_name_(file_name) {}

  uint64_t offset() const { return offset_; }
  uint64_t size() const { return bytes_.size(); }
  uint64_t remaining() const { return bytes_.size() - offset_; }
  std::span<const uint8_t> read_so_far() const { return bytes_.first(offset_); }

  // Names the key or tensor that the next reads belong to: kind is "key" or "tensor".
  void set_subject(const char* kind, std::string_view name) {
    subject_kind_ = kind;
    subject_ = name;
  }

  Result<uint32_t> read_u32(const char* what);
  Result<uint64_t> read_u64(const char* what);
  Result<std::span<const uint8_t>> take(uint64_t num_bytes, const char* what);
  // A length, then that many bytes.
  Result<std::string_view> read_string(const char* what, uint64_t max_bytes);
  // A count of things ("a tensor count") that take at least `min_bytes_each`: kTooLarge past `max`,
  // kCorrupt past what the file can hold.
  Result<uint64_t> read_count(const char* what, uint64_t min_bytes_each, uint64_t max);

  // `message` is "expected …, found …" or the like; the place and the subject are put before it.
  Error error(ErrorCode code, uint64_t at, std::string_view message) const;
  Error corrupt(uint64_t at, std::string_view message) const {
    return error(ErrorCode::kCorrupt, at, message);
  }

 private:
  std::span<const uint8_t> bytes_;
  const std::string& file_name_;
  uint64_t offset_ = 0;
  const char* subject_kind_ = nullptr;
  std::string subject_;
};

}  // namespace twostroke

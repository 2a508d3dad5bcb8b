// GgufWriter: a minimal GGUF v3 writer for tests: metadata of every kind, tensors as the caller's
// bytes. It trusts its caller and checks nothing that a test might want to write wrongly on
// purpose, except sizes of floats.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gguf/gguf_types.h"

namespace twostroke {

class GgufWriter {
 public:
  // `alignment` other than 32 is written as general.alignment.
  explicit GgufWriter(uint32_t alignment = 32);

  void add_u8(std::string_view key, uint8_t value);
  void add_i8(std::string_view key, int8_t value);
  void add_u16(std::string_view key, uint16_t value);
  void add_i16(std::string_view key, int16_t value);
  void add_u32(std::string_view key, uint32_t value);
  void add_i32(std::string_view key, int32_t value);
  void add_u64(std::string_view key, uint64_t value);
  void add_i64(std::string_view key, int64_t value);
  void add_f32(std::string_view key, float value);
  void add_f64(std::string_view key, double value);
  void add_bool(std::string_view key, bool value);
  void add_string(std::string_view key, std::string_view value);
  void add_strings(std::string_view key, std::span<const std::string> values);
  void add_floats(std::string_view key, std::span<const float> values);
  void add_i32s(std::string_view key, std::span<const int32_t> values);
  void add_bools(std::string_view key, std::span<const uint8_t> values);

  // `dims` outermost first, as GgufTensor has them; `ggml_type` is ggml's number. The bytes are
  // copied.
  void add_tensor(std::string_view name, std::span<const int64_t> dims, int ggml_type,
                  std::span<const uint8_t> bytes);
  // REQUIRES: values.size() is the product of `dims`.
  void add_f32_tensor(std::string_view name, std::span<const int64_t> dims,
                      std::span<const float> values);

  std::vector<uint8_t> bytes() const;  // of the whole file
  Status write(const std::string& path) const;

 private:
  void begin_entry(std::string_view key, GgufValueType type);
  void begin_array(std::string_view key, GgufValueType element_type, size_t count);

  uint32_t alignment_;
  uint64_t num_entries_ = 0;
  uint64_t num_tensors_ = 0;
  std::vector<uint8_t> entries_;    // the metadata section
  std::vector<uint8_t> directory_;  // the tensor directory
  std::vector<uint8_t> data_;       // the tensor data, padded
};

}  // namespace twostroke

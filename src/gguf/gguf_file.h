// GgufFile: one model file (or its split parts) in the GGUF format, v2 and v3, little-endian: typed
// metadata and a directory of tensors, all of it views into the mapping. Every count, offset,
// length and type was checked against the file before anything here returns it. Knows no model and
// no meaning of bits. Immutable after open: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"
#include "gguf/gguf_types.h"

namespace twostroke {

// Limits on what a file may ask for, far above what real models have; past them: kTooLarge.
inline constexpr uint64_t kMaxGgufKeys = 1 << 16;
inline constexpr uint64_t kMaxGgufTensors = 1 << 20;
inline constexpr uint64_t kMaxGgufNameBytes = 1 << 16;  // of a key or a tensor name
inline constexpr int kMaxGgufArrayNesting = 4;
inline constexpr int kMaxGgufDims = 4;
inline constexpr uint64_t kMaxGgufAlignment = 1 << 20;
inline constexpr int kMaxGgufParts = 1024;

// One metadata value as it lies in the file: unaligned, so read it through GgufFile's typed access.
struct GgufValue {
  GgufValueType type = GgufValueType::kUint8;
  GgufValueType element_type = GgufValueType::kUint8;  // of an array; otherwise equal to `type`
  uint64_t count = 1;                                  // elements of an array; otherwise 1
  std::span<const uint8_t> bytes;  // the payload; of a string its characters, without the length

  std::string type_name() const;  // "uint32", "array of string"
};

struct GgufEntry {
  std::string_view key;
  GgufValue value;
  uint64_t offset = 0;  // of the key's length field in the file, for messages
};

struct GgufTensor {
  std::string_view name;
  int num_dims = 0;  // 1 to 4
  std::array<int64_t, kMaxGgufDims> dims =
      {};                          // outermost first, the reverse of the file's order; rest is 1
  int type = 0;                    // ggml's number; its geometry is known, quant may not be
  std::span<const uint8_t> bytes;  // exactly the tensor's data
  int part = 0;                    // which split file
  uint64_t offset = 0;             // of the data in that file

  std::span<const int64_t> shape() const { return {dims.data(), static_cast<size_t>(num_dims)}; }
  int64_t num_columns() const { return dims[static_cast<size_t>(num_dims) - 1]; }  // innermost
  int64_t num_rows() const { return num_elements() / num_columns(); }
  int64_t num_elements() const { return dims[0] * dims[1] * dims[2] * dims[3]; }
  std::string shape_text() const;  // "[49152, 576]"
};

class GgufFile {
 public:
  // Maps the file, and its siblings when it is the first part of a split model
  // (NAME-00001-of-0000N.gguf).
  static Result<GgufFile> open(const std::string& path);
  // Reads a whole, unsplit file from memory, which must outlive the object. `name` is for messages.
  static Result<GgufFile> parse(std::span<const uint8_t> bytes, const std::string& name);

  GgufFile(GgufFile&&) noexcept = default;
  GgufFile& operator=(GgufFile&&) noexcept = default;

  const std::string& path() const { return path_; }
  uint32_t version() const { return version_; }
  uint64_t file_bytes() const { return file_bytes_; }      // of all parts
  uint64_t tensor_bytes() const { return tensor_bytes_; }  // of all tensors, without padding
  int num_parts() const { return num_parts_; }
  // 16 hex digits over metadata, tensor directory and sizes (not the weights): equal for equal
  // models.
  std::string fingerprint() const;

  // Metadata in file order (of the first part, for a split model).
  std::span<const GgufEntry> entries() const { return entries_; }
  const GgufValue* find(std::string_view key) const;  // nullptr when absent
  bool has(std::string_view key) const { return find(key) != nullptr; }

  // find_X: nullopt when the key is absent or holds something else.
  // get_X: the error names the key, what was expected and what was found.
  // get_X_or: the fallback when the key is absent; still an error when it holds something else.
  // Integers may have any integer type in the file, and floats either width, as long as the value
  // fits.
  std::optional<uint32_t> find_u32(std::string_view key) const;
  std::optional<int64_t> find_i64(std::string_view key) const;
  std::optional<float> find_f32(std::string_view key) const;
  std::optional<bool> find_bool(std::string_view key) const;
  std::optional<std::string_view> find_string(std::string_view key) const;
  std::optional<std::vector<std::string_view>> find_strings(std::string_view key) const;
  std::optional<std::vector<float>> find_floats(std::string_view key) const;
  std::optional<std::vector<int64_t>> find_ints(std::string_view key) const;  // bools count as 0, 1

  Result<uint32_t> get_u32(std::string_view key) const;
  Result<int64_t> get_i64(std::string_view key) const;
  Result<float> get_f32(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<std::string_view> get_string(std::string_view key) const;
  Result<std::vector<std::string_view>> get_strings(std::string_view key) const;
  Result<std::vector<float>> get_floats(std::string_view key) const;
  Result<std::vector<int64_t>> get_ints(std::string_view key) const;

  Result<uint32_t> get_u32_or(std::string_view key, uint32_t fallback) const;
  Result<int64_t> get_i64_or(std::string_view key, int64_t fallback) const;
  Result<float> get_f32_or(std::string_view key, float fallback) const;
  Result<bool> get_bool_or(std::string_view key, bool fallback) const;
  Result<std::string_view> get_string_or(std::string_view key, std::string_view fallback) const;

  std::span<const GgufTensor> tensors() const { return tensors_; }  // in file order
  const GgufTensor* find_tensor(std::string_view name) const;       // nullptr when absent
  Result<const GgufTensor*> get_tensor(std::string_view name) const;

  // Tells the OS that the weights were read and their pages may leave memory (they return when
  // touched).
  void release_pages() const;

 private:
  friend class GgufAssembler;
  GgufFile() = default;

  std::string path_;
  uint32_t version_ = 0;
  uint64_t file_bytes_ = 0;
  uint64_t tensor_bytes_ = 0;
  int num_parts_ = 1;
  std::vector<MappedFile> mappings_;               // one per part; none after parse()
  std::vector<std::span<const uint8_t>> headers_;  // per part: everything before the tensor data
  std::vector<GgufEntry> entries_;
  std::vector<GgufTensor> tensors_;
  std::unordered_map<std::string_view, uint32_t> entry_index_;   // key -> entries_
  std::unordered_map<std::string_view, uint32_t> tensor_index_;  // name -> tensors_
};

// One line that shows a value: scalars whole, strings escaped and cut, arrays by their first
// elements.
std::string gguf_value_text(const GgufValue& value, size_t max_elements = 8,
                            size_t max_string_bytes = 120);

}  // namespace twostroke

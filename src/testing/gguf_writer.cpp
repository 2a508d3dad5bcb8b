#include "testing/gguf_writer.h"

#include <fmt/format.h>

#include <fstream>

#include "base/check.h"

namespace twostroke {
namespace {

// Little-endian hosts only, as the whole project.
template <typename T>
void append(std::vector<uint8_t>& out, T value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

template <typename T>
void append_all(std::vector<uint8_t>& out, std::span<const T> values) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  out.insert(out.end(), bytes, bytes + values.size_bytes());
}

void append_string(std::vector<uint8_t>& out, std::string_view text) {
  append(out, uint64_t{text.size()});
  out.insert(out.end(), text.begin(), text.end());
}

void pad(std::vector<uint8_t>& out, size_t alignment) {
  out.resize((out.size() + alignment - 1) / alignment * alignment);
}

}  // namespace

GgufWriter::GgufWriter(uint32_t alignment) : alignment_(alignment) {
  if (alignment != 32) add_u32("general.alignment", alignment);
}

void GgufWriter::begin_entry(std::string_view key, GgufValueType type) {
  append_string(entries_, key);
  append(entries_, static_cast<uint32_t>(type));
  ++num_entries_;
}

void GgufWriter::begin_array(std::string_view key, GgufValueType element_type, size_t count) {
  begin_entry(key, GgufValueType::kArray);
  append(entries_, static_cast<uint32_t>(element_type));
  append(entries_, uint64_t{count});
}

void GgufWriter::add_u8(std::string_view key, uint8_t value) {
  begin_entry(key, GgufValueType::kUint8);
  append(entries_, value);
}

void GgufWriter::add_i8(std::string_view key, int8_t value) {
  begin_entry(key, GgufValueType::kInt8);
  append(entries_, value);
}

void GgufWriter::add_u16(std::string_view key, uint16_t value) {
  begin_entry(key, GgufValueType::kUint16);
  append(entries_, value);
}

void GgufWriter::add_i16(std::string_view key, int16_t value) {
  begin_entry(key, GgufValueType::kInt16);
  append(entries_, value);
}

void GgufWriter::add_u32(std::string_view key, uint32_t value) {
  begin_entry(key, GgufValueType::kUint32);
  append(entries_, value);
}

void GgufWriter::add_i32(std::string_view key, int32_t value) {
  begin_entry(key, GgufValueType::kInt32);
  append(entries_, value);
}

void GgufWriter::add_u64(std::string_view key, uint64_t value) {
  begin_entry(key, GgufValueType::kUint64);
  append(entries_, value);
}

void GgufWriter::add_i64(std::string_view key, int64_t value) {
  begin_entry(key, GgufValueType::kInt64);
  append(entries_, value);
}

void GgufWriter::add_f32(std::string_view key, float value) {
  begin_entry(key, GgufValueType::kFloat32);
  append(entries_, value);
}

void GgufWriter::add_f64(std::string_view key, double value) {
  begin_entry(key, GgufValueType::kFloat64);
  append(entries_, value);
}

void GgufWriter::add_bool(std::string_view key, bool value) {
  begin_entry(key, GgufValueType::kBool);
  append(entries_, static_cast<uint8_t>(value ? 1 : 0));
}

void GgufWriter::add_string(std::string_view key, std::string_view value) {
  begin_entry(key, GgufValueType::kString);
  append_string(entries_, value);
}

void GgufWriter::add_strings(std::string_view key, std::span<const std::string> values) {
  begin_array(key, GgufValueType::kString, values.size());
  for (const std::string& value : values) append_string(entries_, value);
}

void GgufWriter::add_floats(std::string_view key, std::span<const float> values) {
  begin_array(key, GgufValueType::kFloat32, values.size());
  append_all(entries_, values);
}

void GgufWriter::add_i32s(std::string_view key, std::span<const int32_t> values) {
  begin_array(key, GgufValueType::kInt32, values.size());
  append_all(entries_, values);
}

void GgufWriter::add_bools(std::string_view key, std::span<const uint8_t> values) {
  begin_array(key, GgufValueType::kBool, values.size());
  append_all(entries_, values);
}

void GgufWriter::add_tensor(std::string_view name, std::span<const int64_t> dims, int ggml_type,
                            std::span<const uint8_t> bytes) {
  append_string(directory_, name);
  append(directory_, static_cast<uint32_t>(dims.size()));
  for (size_t i = dims.size(); i-- > 0;) append(directory_, dims[i]);  // innermost first
  append(directory_, static_cast<uint32_t>(ggml_type));
  append(directory_, uint64_t{data_.size()});
  append_all(data_, bytes);
  pad(data_, alignment_);
  ++num_tensors_;
}

void GgufWriter::add_f32_tensor(std::string_view name, std::span<const int64_t> dims,
                                std::span<const float> values) {
  int64_t num_elements = 1;
  for (const int64_t dim : dims) num_elements *= dim;
  CHECK_EQ(static_cast<size_t>(num_elements), values.size());
  constexpr int kF32 = 0;
  add_tensor(name, dims, kF32,
             {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()});
}

std::vector<uint8_t> GgufWriter::bytes() const {
  std::vector<uint8_t> out;
  append_all(out, std::span<const char>("GGUF", 4));
  append(out, uint32_t{3});
  append(out, num_tensors_);
  append(out, num_entries_);
  out.insert(out.end(), entries_.begin(), entries_.end());
  out.insert(out.end(), directory_.begin(), directory_.end());
  pad(out, alignment_);
  out.insert(out.end(), data_.begin(), data_.end());
  return out;
}

Status GgufWriter::write(const std::string& path) const {
  const std::vector<uint8_t> content = bytes();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return Error{ErrorCode::kIo, fmt::format("cannot write '{}'", path), {}};
  return {};
}

}  // namespace twostroke

// Fuzz target: any bytes are either an error that says something, or a file whose every part can be
// used.
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "gguf/gguf_file.h"

namespace twostroke {
namespace {

// Everything below reads memory that the file's own numbers point to; sanitizers watch.
uint64_t sum_of(std::span<const uint8_t> bytes) {
  uint64_t sum = 0;
  for (const uint8_t byte : bytes) sum += byte;
  return sum;
}

uint64_t use_entry(const GgufFile& file, const GgufEntry& entry) {
  uint64_t sum = sum_of(entry.value.bytes) + gguf_value_text(entry.value).size() +
                 entry.value.type_name().size();
  CHECK(file.find(entry.key) == &entry.value);
  if (const auto strings = file.find_strings(entry.key)) {
    CHECK_EQ(strings->size(), entry.value.count);
    for (const std::string_view text : *strings) sum += text.size();
  }
  if (const auto floats = file.find_floats(entry.key)) CHECK_EQ(floats->size(), entry.value.count);
  if (const auto ints = file.find_ints(entry.key)) CHECK_EQ(ints->size(), entry.value.count);
  const Result<std::string_view> text = file.get_string(entry.key);
  sum += text.ok() ? text->size() : text.error().message.size();
  const Result<uint32_t> number = file.get_u32(entry.key);
  sum += number.ok() ? *number : number.error().message.size();
  sum += file.find_f32(entry.key).has_value() ? 1U : 0U;
  sum += file.find_bool(entry.key).has_value() ? 1U : 0U;
  return sum;
}

uint64_t use_tensor(const GgufFile& file, const GgufTensor& tensor) {
  CHECK(file.find_tensor(tensor.name) == &tensor);
  const GgmlTypeGeometry* geometry = find_ggml_type(tensor.type);
  CHECK(geometry != nullptr);
  CHECK_EQ(tensor.num_rows() * tensor.num_columns(), tensor.num_elements());
  CHECK_EQ(tensor.num_elements() / geometry->block_elements * geometry->block_bytes,
           static_cast<int64_t>(tensor.bytes.size()));
  return sum_of(tensor.bytes) + tensor.shape_text().size();
}

}  // namespace
}  // namespace twostroke

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using twostroke::GgufFile;
  const twostroke::Result<GgufFile> file = GgufFile::parse({data, size}, "input");
  if (!file.ok()) {
    CHECK(!file.error().message.empty());
    return 0;
  }
  uint64_t sum = file->fingerprint().size();
  for (const auto& entry : file->entries()) sum += twostroke::use_entry(*file, entry);
  for (const auto& tensor : file->tensors()) sum += twostroke::use_tensor(*file, tensor);
  CHECK(sum > 0);  // and so none of the reads is dropped
  return 0;
}

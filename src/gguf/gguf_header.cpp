#include "gguf/gguf_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "gguf/gguf_reader.h"
#include "gguf/gguf_text.h"

namespace twostroke {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMinEntryBytes = 8 + 4 + 1;           // length, type, one byte of value
constexpr uint64_t kMinTensorBytes = 8 + 4 + 8 + 4 + 8;  // length, dims, one dim, type, offset
constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

Status read_magic(GgufReader& reader, uint32_t* version) {
  const auto magic = TRY(reader.take(kMagic.size(), "magic"));
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0) {
    return reader.corrupt(0, fmt::format("expected the magic 'GGUF', found {:02x}: not a GGUF file",
                                         fmt::join(magic, " ")));
  }
  *version = TRY(reader.read_u32("version"));
  if (*version == 2 || *version == 3) return {};
  // A big-endian file has the same magic and its version's bytes reversed.
  if ((*version & 0xffffU) == 0 && *version != 0) {
    return reader.error(ErrorCode::kUnsupported, 4,
                        "expected a little-endian file, found a big-endian one");
  }
  return reader.error(ErrorCode::kUnsupported, 4,
                      fmt::format("expected GGUF version 2 or 3, found {}", *version));
}

Result<GgufValueType> read_value_type(GgufReader& reader, const char* what) {
  const uint64_t at = reader.offset();
  const auto type = static_cast<GgufValueType>(TRY(reader.read_u32(what)));
  if (type > GgufValueType::kFloat64) {
    return reader.corrupt(
        at, fmt::format("expected a {} from 0 to 12, found {}", what, static_cast<uint32_t>(type)));
  }
  return type;
}

// Steps over the elements of an array; its element type and count go to `value`. Recursion is
// bounded by kMaxGgufArrayNesting, and each element takes bytes of the file, so the work is linear
// in its size.
Status read_array(GgufReader& reader, int depth, GgufValue* value) {
  const uint64_t at = reader.offset();
  if (depth > kMaxGgufArrayNesting) {
    return reader.error(
        ErrorCode::kTooLarge, at,
        fmt::format("expected arrays nested at most {} deep, found more", kMaxGgufArrayNesting));
  }
  value->element_type = TRY(read_value_type(reader, "array element type"));
  const uint64_t scalar_bytes = gguf_scalar_bytes(value->element_type);
  if (scalar_bytes > 0) {
    value->count = TRY(reader.read_count("an array length", scalar_bytes, kUnlimited));
    value->bytes = TRY(reader.take(value->count * scalar_bytes, "array"));
    return {};
  }
  const bool strings = value->element_type == GgufValueType::kString;
  value->count = TRY(reader.read_count("an array length", strings ? 8 : 12, kUnlimited));
  const uint64_t begin = reader.offset();
  for (uint64_t i = 0; i < value->count; ++i) {
    if (strings) {
      TRY(reader.read_string("array string", kUnlimited));
    } else {
      GgufValue inner;
      TRY(read_array(reader, depth + 1, &inner));
    }
  }
  value->bytes = reader.read_so_far().subspan(begin);
  return {};
}

Result<GgufValue> read_value(GgufReader& reader) {
  GgufValue value;
  value.type = TRY(read_value_type(reader, "value type"));
  value.element_type = value.type;
  if (value.type == GgufValueType::kString) {
    const std::string_view text = TRY(reader.read_string("string", kUnlimited));
    value.bytes = {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  } else if (value.type == GgufValueType::kArray) {
    TRY(read_array(reader, 1, &value));
  } else {
    value.bytes = TRY(reader.take(gguf_scalar_bytes(value.type), "value"));
  }
  return value;
}

Status read_entries(GgufReader& reader, uint64_t count, std::vector<GgufEntry>* entries) {
  entries->reserve(count);
  std::unordered_set<std::string_view> seen;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    reader.set_subject("metadata entry", fmt::to_string(i));
    GgufEntry entry;
    entry.offset = at;
    entry.key = TRY(reader.read_string("key", kMaxGgufNameBytes));
    reader.set_subject("key", entry.key);
    if (!seen.insert(entry.key).second) {
      return reader.corrupt(at, "expected every key once, found it a second time");
    }
    entry.value = TRY(read_value(reader));
    entries->push_back(entry);
  }
  return {};
}

// general.alignment as an unsigned 32-bit integer, or the default.
Result<uint64_t> find_alignment(const GgufReader& reader, std::span<const GgufEntry> entries) {
  for (const GgufEntry& entry : entries) {
    if (entry.key != kAlignmentKey) continue;
    uint32_t alignment = 0;
    if (entry.value.type == GgufValueType::kUint32) {
      std::memcpy(&alignment, entry.value.bytes.data(), sizeof(alignment));
    }
    if (!std::has_single_bit(alignment) || alignment > kMaxGgufAlignment) {
      return reader.corrupt(
          entry.offset,
          fmt::format("expected a uint32 power of two of at most {}, found {} {}",
                      kMaxGgufAlignment, entry.value.type_name(), gguf_value_text(entry.value)));
    }
    return uint64_t{alignment};
  }
  return kDefaultAlignment;
}

// Reads the dimensions and turns them round, so that dims[0] is the outermost from here on.
Status read_dims(GgufReader& reader, GgufTensor* tensor) {
  const uint64_t at = reader.offset();
  const uint32_t num_dims = TRY(reader.read_u32("number of dimensions"));
  if (num_dims < 1 || num_dims > kMaxGgufDims) {
    return reader.corrupt(
        at, fmt::format("expected 1 to {} dimensions, found {}", kMaxGgufDims, num_dims));
  }
  tensor->num_dims = static_cast<int>(num_dims);
  tensor->dims.fill(1);
  uint64_t num_elements = 1;
  for (uint32_t i = num_dims; i-- > 0;) {
    const uint64_t dim_at = reader.offset();
    const uint64_t dim = TRY(reader.read_u64("dimension"));
    constexpr auto kMaxElements = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (dim < 1 || dim > kMaxElements / num_elements) {
      return reader.corrupt(
          dim_at, fmt::format("expected a dimension of at least 1 and less than 2^63 elements in "
                              "all, found {}",
                              dim));
    }
    num_elements *= dim;
    tensor->dims[i] = static_cast<int64_t>(dim);
  }
  return {};
}

// The directory entry; `offset` is still relative to the data section and `bytes` empty. Returns
// the size in bytes.
Result<uint64_t> read_tensor(GgufReader& reader, uint64_t alignment, GgufTensor* tensor) {
  TRY(read_dims(reader, tensor));
  uint64_t at = reader.offset();
  const uint32_t type = TRY(reader.read_u32("tensor type"));
  const GgmlTypeGeometry* geometry =
      type <= std::numeric_limits<int>::max() ? find_ggml_type(static_cast<int>(type)) : nullptr;
  if (geometry == nullptr) {
    return reader.error(ErrorCode::kUnsupported, at,
                        fmt::format("expected a known tensor type, found type {}", type));
  }
  tensor->type = geometry->type;
  const int64_t columns = tensor->num_columns();
  if (columns % geometry->block_elements != 0) {
    return reader.corrupt(
        at, fmt::format("expected rows of a multiple of {} elements for {}, found {}",
                        geometry->block_elements, geometry->name, tensor->shape_text()));
  }
  const auto num_blocks = static_cast<uint64_t>(tensor->num_elements() / geometry->block_elements);
  const auto block_bytes = static_cast<uint64_t>(geometry->block_bytes);
  if (num_blocks > reader.size() / block_bytes) {
    return reader.corrupt(at,
                          fmt::format("expected a tensor that fits the file of {} bytes, found {} "
                                      "of shape {}",
                                      reader.size(), geometry->name, tensor->shape_text()));
  }
  at = reader.offset();
  tensor->offset = TRY(reader.read_u64("tensor offset"));
  if (tensor->offset % alignment != 0) {
    return reader.corrupt(at, fmt::format("expected an offset that is a multiple of {}, found {}",
                                          alignment, tensor->offset));
  }
  return num_blocks * block_bytes;
}

Status read_tensors(GgufReader& reader, uint64_t count, uint64_t alignment, GgufHeader* header,
                    std::vector<uint64_t>* sizes) {
  header->tensors.reserve(count);
  sizes->reserve(count);
  std::unordered_set<std::string_view> seen;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    reader.set_subject("tensor directory entry", fmt::to_string(i));
    GgufTensor tensor;
    tensor.name = TRY(reader.read_string("tensor name", kMaxGgufNameBytes));
    reader.set_subject("tensor", tensor.name);
    if (!seen.insert(tensor.name).second) {
      return reader.corrupt(at, "expected every tensor once, found it a second time");
    }
    sizes->push_back(TRY(read_tensor(reader, alignment, &tensor)));
    header->tensors.push_back(tensor);
  }
  return {};
}

// Turns relative offsets into spans: each inside the file, none overlapping another.
Status place_tensors(GgufReader& reader, std::span<const uint8_t> bytes,
                     const std::vector<uint64_t>& sizes, GgufHeader* header) {
  const uint64_t data_bytes =
      header->data_offset < bytes.size() ? bytes.size() - header->data_offset : 0;
  for (size_t i = 0; i < header->tensors.size(); ++i) {
    GgufTensor& tensor = header->tensors[i];
    if (tensor.offset > data_bytes || sizes[i] > data_bytes - tensor.offset) {
      reader.set_subject("tensor", tensor.name);
      return reader.corrupt(header->data_offset,
                            fmt::format("expected {} bytes at {} of the tensor data, found only {} "
                                        "bytes of data: the file is cut short",
                                        sizes[i], tensor.offset, data_bytes));
    }
    tensor.offset += header->data_offset;
    tensor.bytes = bytes.subspan(tensor.offset, sizes[i]);
  }
  std::vector<const GgufTensor*> by_offset;
  for (const GgufTensor& tensor : header->tensors) by_offset.push_back(&tensor);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const GgufTensor* a, const GgufTensor* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < by_offset.size(); ++i) {
    const GgufTensor& before = *by_offset[i - 1];
    if (before.offset + before.bytes.size() > by_offset[i]->offset) {
      reader.set_subject("tensor", by_offset[i]->name);
      return reader.corrupt(by_offset[i]->offset,
                            fmt::format("expected data of its own, found it inside tensor {}",
                                        gguf_quoted(before.name)));
    }
  }
  return {};
}

}  // namespace

Result<GgufHeader> read_gguf_header(std::span<const uint8_t> bytes, const std::string& file_name) {
  GgufReader reader(bytes, file_name);
  GgufHeader header;
  TRY(read_magic(reader, &header.version));
  const uint64_t num_tensors =
      TRY(reader.read_count("a tensor count", kMinTensorBytes, kMaxGgufTensors));
  const uint64_t num_entries =
      TRY(reader.read_count("a metadata count", kMinEntryBytes, kMaxGgufKeys));
  TRY(read_entries(reader, num_entries, &header.entries));
  reader.set_subject("key", kAlignmentKey);
  const uint64_t alignment = TRY(find_alignment(reader, header.entries));
  std::vector<uint64_t> sizes;
  TRY(read_tensors(reader, num_tensors, alignment, &header, &sizes));
  header.bytes = reader.read_so_far();
  header.data_offset = (reader.offset() + alignment - 1) / alignment * alignment;
  TRY(place_tensors(reader, bytes, sizes, &header));
  return header;
}

}  // namespace twostroke

#include "gguf/gguf_text.h"

#include <fmt/format.h>

#include <cstring>

#include "gguf/gguf_file.h"

namespace twostroke {
namespace {

// Length of the valid UTF-8 sequence at the start of `bytes`; 0 when there is none.
size_t utf8_length(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  size_t length = 0;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (length == 0 || length > bytes.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = at(1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool outside = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
  const bool c1_control = lead == 0xc2 && second < 0xa0;  // terminals obey these
  return overlong || outside || c1_control ? 0 : length;
}

template <typename T>
T load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

std::string scalar_text(GgufValueType type, const uint8_t* bytes) {
  switch (type) {
    case GgufValueType::kUint8:
      return fmt::format("{}", unsigned{load<uint8_t>(bytes)});
    case GgufValueType::kInt8:
      return fmt::format("{}", int{load<int8_t>(bytes)});
    case GgufValueType::kUint16:
      return fmt::format("{}", load<uint16_t>(bytes));
    case GgufValueType::kInt16:
      return fmt::format("{}", load<int16_t>(bytes));
    case GgufValueType::kUint32:
      return fmt::format("{}", load<uint32_t>(bytes));
    case GgufValueType::kInt32:
      return fmt::format("{}", load<int32_t>(bytes));
    case GgufValueType::kFloat32:
      return fmt::format("{}", load<float>(bytes));
    case GgufValueType::kBool:
      return load<uint8_t>(bytes) != 0 ? "true" : "false";
    case GgufValueType::kUint64:
      return fmt::format("{}", load<uint64_t>(bytes));
    case GgufValueType::kInt64:
      return fmt::format("{}", load<int64_t>(bytes));
    case GgufValueType::kFloat64:
      return fmt::format("{}", load<double>(bytes));
    case GgufValueType::kString:
    case GgufValueType::kArray:
      break;
  }
  return "";
}

}  // namespace

std::string gguf_quoted(std::string_view bytes, size_t max_bytes) {
  std::string text = "'";
  size_t i = 0;
  while (i < bytes.size() && i < max_bytes) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const size_t length = byte < 0x80 ? 1 : utf8_length(bytes.substr(i));
    if (byte == '\n') {
      text += "\\n";
    } else if (byte == '\t') {
      text += "\\t";
    } else if (length == 0 || byte < 0x20 || byte == 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += bytes.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  text += i < bytes.size() ? "…'" : "'";
  return text;
}

std::string gguf_value_text(const GgufValue& value, size_t max_elements, size_t max_string_bytes) {
  if (value.type == GgufValueType::kString) {
    const std::string_view text(reinterpret_cast<const char*>(value.bytes.data()),
                                value.bytes.size());
    return gguf_quoted(text, max_string_bytes);
  }
  if (value.type != GgufValueType::kArray) return scalar_text(value.type, value.bytes.data());
  if (value.element_type == GgufValueType::kArray) {
    return fmt::format("[{} arrays]", value.count);
  }
  std::string text = "[";
  const uint8_t* at = value.bytes.data();
  for (uint64_t i = 0; i < value.count; ++i) {
    if (i > 0) text += ", ";
    if (i == max_elements) {
      text += fmt::format("… {} in all", value.count);
      break;
    }
    if (value.element_type == GgufValueType::kString) {
      const auto length = load<uint64_t>(at);
      const std::string_view element(reinterpret_cast<const char*>(at + 8), length);
      text += gguf_quoted(element, max_string_bytes);
      at += 8 + length;
    } else {
      text += scalar_text(value.element_type, at);
      at += gguf_scalar_bytes(value.element_type);
    }
  }
  return text + "]";
}

std::string GgufValue::type_name() const {
  if (type != GgufValueType::kArray) return gguf_value_type_name(type);
  return "array of " + gguf_value_type_name(element_type);
}

std::string GgufTensor::shape_text() const {
  return fmt::format("[{}]", fmt::join(shape(), ", "));
}

}  // namespace twostroke

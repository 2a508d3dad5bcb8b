// Typed access to metadata: the conversions, and the messages when a key is missing or holds
// something else.
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "gguf/gguf_file.h"

namespace twostroke {
namespace {

template <typename T>
T load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

std::optional<int64_t> integer_at(GgufValueType type, const uint8_t* bytes) {
  switch (type) {
    case GgufValueType::kUint8:
      return load<uint8_t>(bytes);
    case GgufValueType::kInt8:
      return load<int8_t>(bytes);
    case GgufValueType::kUint16:
      return load<uint16_t>(bytes);
    case GgufValueType::kInt16:
      return load<int16_t>(bytes);
    case GgufValueType::kUint32:
      return load<uint32_t>(bytes);
    case GgufValueType::kInt32:
      return load<int32_t>(bytes);
    case GgufValueType::kInt64:
      return load<int64_t>(bytes);
    case GgufValueType::kUint64: {
      const auto value = load<uint64_t>(bytes);
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<float> float_at(GgufValueType type, const uint8_t* bytes) {
  if (type == GgufValueType::kFloat32) return load<float>(bytes);
  if (type != GgufValueType::kFloat64) return std::nullopt;
  const auto value = load<double>(bytes);
  if (std::isfinite(value) && std::abs(value) > double{std::numeric_limits<float>::max()}) {
    return std::nullopt;
  }
  return static_cast<float>(value);
}

// One conversion per C++ type: `name` is what messages expect, `convert` is nullopt when the value
// is something else.
struct AsI64 {
  using Type = int64_t;
  static constexpr const char* kName = "an integer";
  static std::optional<int64_t> convert(const GgufValue& value) {
    return integer_at(value.type, value.bytes.data());
  }
};

struct AsU32 {
  using Type = uint32_t;
  static constexpr const char* kName = "an unsigned 32-bit integer";
  static std::optional<uint32_t> convert(const GgufValue& value) {
    const auto integer = AsI64::convert(value);
    if (!integer || *integer < 0 || *integer > std::numeric_limits<uint32_t>::max()) {
      return std::nullopt;
    }
    return static_cast<uint32_t>(*integer);
  }
};

struct AsF32 {
  using Type = float;
  static constexpr const char* kName = "a float";
  static std::optional<float> convert(const GgufValue& value) {
    return float_at(value.type, value.bytes.data());
  }
};

struct AsBool {
  using Type = bool;
  static constexpr const char* kName = "a bool";
  static std::optional<bool> convert(const GgufValue& value) {
    if (value.type != GgufValueType::kBool) return std::nullopt;
    return value.bytes[0] != 0;
  }
};

struct AsString {
  using Type = std::string_view;
  static constexpr const char* kName = "a string";
  static std::optional<std::string_view> convert(const GgufValue& value) {
    if (value.type != GgufValueType::kString) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
  }
};

struct AsStrings {
  using Type = std::vector<std::string_view>;
  static constexpr const char* kName = "an array of strings";
  static std::optional<Type> convert(const GgufValue& value) {
    if (value.type != GgufValueType::kArray || value.element_type != GgufValueType::kString) {
      return std::nullopt;
    }
    Type strings;
    strings.reserve(value.count);
    const uint8_t* at = value.bytes.data();
    for (uint64_t i = 0; i < value.count; ++i) {  // lengths were checked when the file was opened
      const auto length = load<uint64_t>(at);
      strings.emplace_back(reinterpret_cast<const char*>(at + sizeof(length)), length);
      at += sizeof(length) + length;
    }
    return strings;
  }
};

struct AsFloats {
  using Type = std::vector<float>;
  static constexpr const char* kName = "an array of floats";
  static std::optional<Type> convert(const GgufValue& value) {
    if (value.type != GgufValueType::kArray) return std::nullopt;
    if (value.element_type != GgufValueType::kFloat32 &&
        value.element_type != GgufValueType::kFloat64) {
      return std::nullopt;
    }
    Type floats;
    floats.reserve(value.count);
    for (uint64_t i = 0; i < value.count; ++i) {
      const auto element =
          float_at(value.element_type, &value.bytes[i * gguf_scalar_bytes(value.element_type)]);
      if (!element) return std::nullopt;
      floats.push_back(*element);
    }
    return floats;
  }
};

struct AsInts {
  using Type = std::vector<int64_t>;
  static constexpr const char* kName = "an array of integers";
  static std::optional<Type> convert(const GgufValue& value) {
    const uint64_t bytes_each = gguf_scalar_bytes(value.element_type);
    if (value.type != GgufValueType::kArray || bytes_each == 0) return std::nullopt;
    const GgufValueType element_type =
        value.element_type == GgufValueType::kBool ? GgufValueType::kUint8 : value.element_type;
    if (!integer_at(element_type, std::array<uint8_t, 8>{}.data())) return std::nullopt;
    Type integers;
    integers.reserve(value.count);
    for (uint64_t i = 0; i < value.count; ++i) {
      const auto element = integer_at(element_type, &value.bytes[i * bytes_each]);
      if (!element) return std::nullopt;
      integers.push_back(*element);
    }
    return integers;
  }
};

template <typename As>
std::optional<typename As::Type> find_as(const GgufFile& file, std::string_view key) {
  const GgufValue* value = file.find(key);
  if (value == nullptr) return std::nullopt;
  return As::convert(*value);
}

template <typename As>
Result<typename As::Type> get_as(const GgufFile& file, std::string_view key) {
  const GgufValue* value = file.find(key);
  if (value == nullptr) {
    return Error{
        ErrorCode::kNotFound,
        fmt::format("{}: key '{}': expected {}, found no such key", file.path(), key, As::kName),
        std::string(key)};
  }
  if (auto converted = As::convert(*value)) return *std::move(converted);
  return Error{ErrorCode::kCorrupt,
               fmt::format("{}: key '{}': expected {}, found {} {}", file.path(), key, As::kName,
                           value->type_name(), gguf_value_text(*value, 4, 40)),
               std::string(key)};
}

template <typename As>
Result<typename As::Type> get_as_or(const GgufFile& file, std::string_view key,
                                    typename As::Type fallback) {
  if (!file.has(key)) return fallback;
  return get_as<As>(file, key);
}

}  // namespace

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = entry_index_.find(key);
  return found == entry_index_.end() ? nullptr : &entries_[found->second].value;
}

using Key = std::string_view;

std::optional<uint32_t> GgufFile::find_u32(Key key) const {
  return find_as<AsU32>(*this, key);
}
std::optional<int64_t> GgufFile::find_i64(Key key) const {
  return find_as<AsI64>(*this, key);
}
std::optional<float> GgufFile::find_f32(Key key) const {
  return find_as<AsF32>(*this, key);
}
std::optional<bool> GgufFile::find_bool(Key key) const {
  return find_as<AsBool>(*this, key);
}
std::optional<std::string_view> GgufFile::find_string(Key key) const {
  return find_as<AsString>(*this, key);
}
std::optional<std::vector<std::string_view>> GgufFile::find_strings(Key key) const {
  return find_as<AsStrings>(*this, key);
}
std::optional<std::vector<float>> GgufFile::find_floats(Key key) const {
  return find_as<AsFloats>(*this, key);
}
std::optional<std::vector<int64_t>> GgufFile::find_ints(Key key) const {
  return find_as<AsInts>(*this, key);
}

Result<uint32_t> GgufFile::get_u32(Key key) const {
  return get_as<AsU32>(*this, key);
}
Result<int64_t> GgufFile::get_i64(Key key) const {
  return get_as<AsI64>(*this, key);
}
Result<float> GgufFile::get_f32(Key key) const {
  return get_as<AsF32>(*this, key);
}
Result<bool> GgufFile::get_bool(Key key) const {
  return get_as<AsBool>(*this, key);
}
Result<std::string_view> GgufFile::get_string(Key key) const {
  return get_as<AsString>(*this, key);
}
Result<std::vector<std::string_view>> GgufFile::get_strings(Key key) const {
  return get_as<AsStrings>(*this, key);
}
Result<std::vector<float>> GgufFile::get_floats(Key key) const {
  return get_as<AsFloats>(*this, key);
}
Result<std::vector<int64_t>> GgufFile::get_ints(Key key) const {
  return get_as<AsInts>(*this, key);
}

Result<uint32_t> GgufFile::get_u32_or(Key key, uint32_t fallback) const {
  return get_as_or<AsU32>(*this, key, fallback);
}
Result<int64_t> GgufFile::get_i64_or(Key key, int64_t fallback) const {
  return get_as_or<AsI64>(*this, key, fallback);
}
Result<float> GgufFile::get_f32_or(Key key, float fallback) const {
  return get_as_or<AsF32>(*this, key, fallback);
}
Result<bool> GgufFile::get_bool_or(Key key, bool fallback) const {
  return get_as_or<AsBool>(*this, key, fallback);
}
Result<std::string_view> GgufFile::get_string_or(Key key, std::string_view fallback) const {
  return get_as_or<AsString>(*this, key, fallback);
}

}  // namespace twostroke

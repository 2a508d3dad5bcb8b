#include "server/request_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Error out_of_range(const char* name, double min, double max, double found) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{} must be between {} and {}, not {}", name, min, max, found), name};
}

}  // namespace

std::string_view json_type_name(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::boolean:
      return "a boolean";
    case json::value_t::string:
      return "a string";
    case json::value_t::array:
      return "an array";
    case json::value_t::object:
      return "an object";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float:
      return "a number";
    default:
      return "something else";
  }
}

const json* find_field(const json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Error invalid_field(std::string field, std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

Error wrong_type(std::string_view field, std::string_view expected, const json& found) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{} must be {}, not {}", field, expected, json_type_name(found)),
               std::string(field)};
}

Result<std::optional<bool>> read_bool(const json& object, const char* name) {
  const json* field = find_field(object, name);
  if (field == nullptr) return std::optional<bool>();
  if (!field->is_boolean()) return wrong_type(name, "a boolean", *field);
  return std::optional<bool>(field->get<bool>());
}

Result<std::optional<int64_t>> read_int(const json& object, const char* name, int64_t min,
                                        int64_t max) {
  const json* field = find_field(object, name);
  if (field == nullptr) return std::optional<int64_t>();
  if (!field->is_number()) return wrong_type(name, "an integer", *field);
  const double approximate = field->get<double>();
  if (std::nearbyint(approximate) != approximate) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} must be an integer, not {}", name, approximate), name};
  }
  const auto out_of_limits = [&] {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} must be between {} and {}, not {}", name, min, max, field->dump()),
                 name};
  };
  if (approximate < -9.2e18 || approximate > 9.2e18) return out_of_limits();
  const int64_t value =
      field->is_number_float() ? static_cast<int64_t>(approximate) : field->get<int64_t>();
  if (value < min || value > max) return out_of_limits();
  return std::optional<int64_t>(value);
}

Result<std::optional<double>> read_number(const json& object, const char* name, double min,
                                          double max) {
  const json* field = find_field(object, name);
  if (field == nullptr) return std::optional<double>();
  if (!field->is_number()) return wrong_type(name, "a number", *field);
  const double value = field->get<double>();
  if (!(value >= min && value <= max)) return out_of_range(name, min, max, value);
  return std::optional<double>(value);
}

Result<std::optional<std::string>> read_string(const json& object, const char* name,
                                               size_t max_bytes) {
  const json* field = find_field(object, name);
  if (field == nullptr) return std::optional<std::string>();
  if (!field->is_string()) return wrong_type(name, "a string", *field);
  const auto& text = field->get_ref<const std::string&>();
  if (text.size() > max_bytes) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} has {} bytes; the limit is {}", name, text.size(), max_bytes),
                 name};
  }
  return std::optional<std::string>(text);
}

Result<std::vector<TokenId>> read_token_ids(const json& value, const std::string& field,
                                            int vocab_size, size_t max_size) {
  if (!value.is_array()) return wrong_type(field, "an array of token ids", value);
  if (value.size() > max_size) {
    return invalid_field(
        field, fmt::format("{} has {} entries; the limit is {}", field, value.size(), max_size));
  }
  std::vector<TokenId> ids;
  ids.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const json& item = value[i];
    if (!item.is_number_integer())
      return wrong_type(fmt::format("{}[{}]", field, i), "a token id", item);
    const bool fits =
        item.is_number_unsigned() && item.get<uint64_t>() < static_cast<uint64_t>(vocab_size);
    if (!fits) {
      return invalid_field(field, fmt::format("{}[{}] is {}; token ids of this model are 0 to {}",
                                              field, i, item.dump(), vocab_size - 1));
    }
    ids.push_back(item.get<TokenId>());
  }
  return ids;
}

Status read_into(const json& object, const char* name, bool& into) {
  into = TRY(read_bool(object, name)).value_or(into);
  return {};
}

Status read_into(const json& object, const char* name, int64_t min, int64_t max, int& into) {
  const auto value = TRY(read_int(object, name, min, max));
  if (value) into = static_cast<int>(*value);
  return {};
}

Status read_into(const json& object, const char* name, double min, double max, float& into) {
  const auto value = TRY(read_number(object, name, min, max));
  if (value) into = static_cast<float>(*value);
  return {};
}

}  // namespace twostroke

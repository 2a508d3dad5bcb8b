#include "server/request_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

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

}  // namespace twostroke

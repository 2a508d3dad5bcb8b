#include "measure/json_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>

namespace twostroke {
namespace {

constexpr int kMaxDepth = 64;

// Looks at brackets only, before the parser builds anything.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

const Json& null_json() {
  static const Json kNull;
  return kNull;
}

}  // namespace

Result<Json> parse_json_text(std::string_view text) {
  if (is_too_deep(text)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the JSON is nested more than {} deep", kMaxDepth), ""};
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("not valid JSON: error at byte {} of {}", error.byte, text.size()),
                 ""};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("unusable JSON: {}", error.what()), ""};
  }
}

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& json_member(const Json& value, const char* key) {
  if (!value.is_object()) return null_json();
  const auto it = value.find(key);
  return it == value.end() ? null_json() : *it;
}

int64_t json_int(const Json& value, const char* key, int64_t otherwise) {
  const Json& member = json_member(value, key);
  if (member.is_number_integer()) return member.get<int64_t>();
  if (!member.is_number()) return otherwise;
  const double number = member.get<double>();
  return std::abs(number) < 9e18 ? static_cast<int64_t>(number) : otherwise;
}

double json_number(const Json& value, const char* key, double otherwise) {
  const Json& member = json_member(value, key);
  return member.is_number() ? member.get<double>() : otherwise;
}

std::string json_string(const Json& value, const char* key) {
  const Json& member = json_member(value, key);
  return member.is_string() ? member.get<std::string>() : std::string();
}

}  // namespace twostroke

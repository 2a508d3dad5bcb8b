#include "sampling/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;  // the order of properties is the order of the output

constexpr const char* kWhiteSpace = R"(\x20|\x0A[\x20\x09]{0,32})";

// Counted on the text, because walking a value recurses.
int depth_of(const std::string& text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Result<std::string> prepare_json_schema(const std::string& text, int max_depth,
                                        const std::string& field) {
  const int depth = depth_of(text);
  if (depth > max_depth) {
    return Error{
        ErrorCode::kTooLarge,
        fmt::format("{} is nested {} levels deep; the limit is {}", field, depth, max_depth),
        field};
  }
  Json schema = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (schema.is_boolean()) schema = schema ? Json::object() : Json{{"not", Json::object()}};
  if (!schema.is_object()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} must be a JSON schema: an object or a boolean", field), field};
  }
  schema["x-guidance"] = {{"whitespace_pattern", kWhiteSpace}};
  return schema.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace twostroke

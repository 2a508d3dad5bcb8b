// JSON as measuring clients need it: what servers and result files say is read without exceptions,
// and a field of the wrong type counts as absent.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace twostroke {

using Json = nlohmann::ordered_json;

// kInvalidArgument with the byte where it stopped being JSON, or when it is nested deeper than
// anything that belongs here.
Result<Json> parse_json_text(std::string_view text);

// Compact, one line. Bytes that are not UTF-8 become U+FFFD.
std::string json_line(const Json& value);

// The member, or null when `value` is no object or has none: safe to chain.
const Json& json_member(const Json& value, const char* key);
// The member's value, or `otherwise` when it is absent or of another type.
int64_t json_int(const Json& value, const char* key, int64_t otherwise);
double json_number(const Json& value, const char* key, double otherwise);
std::string json_string(const Json& value, const char* key);

}  // namespace twostroke

// JSON in and out: nlohmann behind a border that does not throw, with limits that keep hostile
// texts cheap.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace twostroke {

// Keeps the order in which keys were written: replies read well, and templates see tools as the
// client wrote them.
using OrderedJson = nlohmann::ordered_json;

struct JsonLimits {
  int max_depth = 64;
  int max_members = 1024;  // of one object: looking one up is linear
};

// kInvalidArgument with the byte offset when it is not JSON (or not UTF-8), or when it is past a
// limit.
Result<OrderedJson> parse_json(std::string_view text, const JsonLimits& limits);

// Compact. Bytes that are not UTF-8 become U+FFFD.
std::string dump_json(const OrderedJson& value);

}  // namespace twostroke

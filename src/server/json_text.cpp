#include "server/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <vector>

namespace twostroke {
namespace {

struct Extent {
  int depth = 0;    // deepest nesting of [ and {
  int members = 0;  // of the largest object
};

// Looks at bytes only, so that a hostile text is refused before the parser allocates anything for
// it. Exact for valid JSON; the parser refuses the rest. Stops at max_depth.
Extent extent_of(std::string_view text, int max_depth) {
  Extent found;
  std::vector<int> members;  // per open bracket
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
      members.push_back(0);
      found.depth = std::max(found.depth, static_cast<int>(members.size()));
      if (found.depth > max_depth) return found;
    } else if ((c == ']' || c == '}') && !members.empty()) {
      members.pop_back();
    } else if (c == ':' && !members.empty()) {
      found.members = std::max(found.members, ++members.back());
    }
  }
  return found;
}

Error invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), ""};
}

}  // namespace

Result<OrderedJson> parse_json(std::string_view text, const JsonLimits& limits) {
  const Extent extent = extent_of(text, limits.max_depth);
  if (extent.depth > limits.max_depth) {
    return invalid(fmt::format("the JSON is nested more than {} deep", limits.max_depth));
  }
  if (extent.members > limits.max_members) {
    return invalid(fmt::format("a JSON object has {} members; the limit is {}", extent.members,
                               limits.max_members));
  }
  try {
    return OrderedJson::parse(text);
  } catch (const OrderedJson::parse_error& error) {
    return invalid(
        fmt::format("the body is not valid JSON: error at byte {} of {}", error.byte, text.size()));
  } catch (const std::exception& error) {
    return invalid(fmt::format("the body is not usable JSON: {}", error.what()));
  }
}

std::string dump_json(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace twostroke

#include <nlohmann/json.hpp>

#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {

using json = nlohmann::ordered_json;

// Answering as if the field were not there would be a lie.
Status read_structured_fields(const json& body, const FieldContext& /*context*/,
                              GenerationRequest& /*request*/) {
  const json* format = find_field(body, "response_format");
  if (format == nullptr) return {};
  if (!format->is_object()) return wrong_type("response_format", "an object", *format);
  if (format->value("type", json("text")) != "text") {
    return Error{ErrorCode::kUnsupported, "response_format can only be {\"type\": \"text\"}",
                 "response_format"};
  }
  return {};
}

}  // namespace twostroke

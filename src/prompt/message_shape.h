// Which shapes of a message a template takes, and how a conversation is brought into them. Clients
// send content as a string or as a list of parts and tool-call arguments as JSON text (OpenAI's
// API); templates were written against one of each. Pure functions.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace twostroke {

enum class ContentShape {
  kStringOnly,  // parts are joined into a string
  kEither,
  kPartsOnly,  // strings are wrapped into one text part
};

struct MessageShape {
  ContentShape content = ContentShape::kStringOnly;
  bool arguments_as_object =
      false;  // tool_calls[].function.arguments: parsed, or the JSON text as sent
};

// Renders a request as the template itself does.
using RenderFunction = std::function<Result<std::string>(const nlohmann::ordered_json& request)>;

// Renders small conversations and looks at what became of them.
MessageShape probe_message_shape(const RenderFunction& render);

// Returns `messages` in the given shape. kInvalidArgument (field "messages[i]…") for what cannot be
// brought into it.
Result<nlohmann::ordered_json> shape_messages(const nlohmann::ordered_json& messages,
                                              const MessageShape& shape);

}  // namespace twostroke

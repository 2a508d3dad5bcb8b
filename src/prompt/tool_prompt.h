// Tools for models whose chat template knows none: the conversation itself explains them, in the
// words of the Hermes format, and shows earlier calls and their results as text.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "prompt/message_shape.h"

namespace twostroke {

// Whether a tool that is given to the template shows up in the prompt.
bool takes_tools(const RenderFunction& render);

// A chat request (as for ChatTemplate::render) with the tools moved into the first system message,
// calls into the text of their assistant messages and results into user messages. A request that
// has none of these comes back as it is.
nlohmann::ordered_json explain_tools(const nlohmann::ordered_json& request);

}  // namespace twostroke

// continue_final_message: the model goes on with the last message instead of starting a new one, so
// the prompt ends where that message's text ends, without what the template closes a message with.
// Pure function.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace twostroke {

// `prompt` is the rendering of `messages`. kInvalidArgument when the last message has no text, or
// the template changed it beyond trimming.
Result<std::string> end_at_final_message(std::string prompt,
                                         const nlohmann::ordered_json& messages);

}  // namespace twostroke

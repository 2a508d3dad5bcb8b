// Validates the part of a chat request that goes to the chat template: messages, tools, documents,
// template options.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace twostroke {

// The object for ModelServices::render_chat, holding only the fields a template sees. Images, audio
// and files are kUnsupported; the error's field is the path of the offending part
// ("messages[2].content[0]").
Result<nlohmann::ordered_json> parse_chat_messages(const nlohmann::ordered_json& body);

}  // namespace twostroke

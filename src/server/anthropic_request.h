// Anthropic's Messages request -> the body of a chat request, which parse_chat_request then checks.
// What only this API has is checked here; every error names the field as the client wrote it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace twostroke {

// `counting`: for /v1/messages/count_tokens, which has no max_tokens.
Result<nlohmann::ordered_json> chat_body_of_messages(const nlohmann::ordered_json& body,
                                                     bool counting);
// An error of the chat request in the words of this one.
Error in_messages_words(Error error);

}  // namespace twostroke

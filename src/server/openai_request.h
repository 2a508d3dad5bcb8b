// OpenAI request JSON -> GenerationRequest. All validation of fields is here; every error names its
// field. Unknown fields are tolerated, fields that would silently change the meaning (suffix,
// response_format) are refused.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "server/generation_request.h"
#include "server/server_options.h"

namespace twostroke {

// `vocab_size` bounds every token id in the request.
Result<GenerationRequest> parse_chat_request(const nlohmann::ordered_json& body,
                                             const ServerOptions& options, int vocab_size);
Result<GenerationRequest> parse_completion_request(const nlohmann::ordered_json& body,
                                                   const ServerOptions& options, int vocab_size);

}  // namespace twostroke

// From a validated GenerationRequest to submitted requests: template, tokens, the check against the
// context length, EngineClient::submit. Runs on an intake thread.
#pragma once

#include "server/generation.h"
#include "server/generation_request.h"
#include "server/reply.h"

namespace twostroke {

// `parsed_ns`: when the JSON had been read and validated. On an error nothing is left running in
// the engine. REQUIRES: serving.context != nullptr.
Result<GenerationBase> submit_generation(const GenerationRequest& request, const HttpRequest& http,
                                         const Serving& serving, int64_t parsed_ns);

}  // namespace twostroke

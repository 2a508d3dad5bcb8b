// The groups of fields that parse_*_request (openai_request.h) is made of, one file per group:
// fields_<group>.cpp. Each reads its fields of `body` into `request`; an error names the field.
// Not for other callers.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "server/generation_request.h"
#include "server/server_options.h"

namespace twostroke {

struct FieldContext {
  const ServerOptions& options;
  int vocab_size;  // bounds every token id in the request
};

// prompt, echo, suffix, best_of, n x prompts: completions only.
Status read_completion_fields(const nlohmann::ordered_json& body, const FieldContext& context,
                              GenerationRequest& request);
// temperature, top_k, penalties, logit_bias, seed, ...: what the sampler does.
Status read_sampling_fields(const nlohmann::ordered_json& body, const FieldContext& context,
                            GenerationRequest& request);
// max_tokens, n, stop, stop_token_ids, ...: how much there is and where it ends.
Status read_output_fields(const nlohmann::ordered_json& body, const FieldContext& context,
                          GenerationRequest& request);
// response_format: what the output must look like.
Status read_structured_fields(const nlohmann::ordered_json& body, const FieldContext& context,
                              GenerationRequest& request);
// stream, logprobs, timings, ...: what the reply shows. REQUIRES: request.is_chat is set.
Status read_reply_fields(const nlohmann::ordered_json& body, const FieldContext& context,
                         GenerationRequest& request);
// cache_salt, cache_prompt: how the request shares the engine with others.
Status read_scheduling_fields(const nlohmann::ordered_json& body, const FieldContext& context,
                              GenerationRequest& request);

}  // namespace twostroke

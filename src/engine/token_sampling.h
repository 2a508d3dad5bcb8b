// One row of logits and one request in, one token out. Engine thread only.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/active_request.h"
#include "engine/token_stream.h"

namespace twostroke {

struct SampledToken {
  TokenId token = kNoToken;  // kNoToken: the logits were not finite
  int64_t sampled_ns = 0;
  std::optional<TokenLogprob> logprob;
  std::vector<TokenLogprob> top_logprobs;
};

// Changes `logits` ([vocab_size]) in place. `sampled_ns` is the caller's.
SampledToken sample_token(std::span<float> logits, const ActiveRequest& request,
                          const TokenText& token_text);

}  // namespace twostroke

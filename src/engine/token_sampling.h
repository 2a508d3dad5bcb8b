// One row of logits and one request in, one token out: the room `sampling` as the engine uses it.
// Engine thread only.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/active_request.h"
#include "engine/token_stream.h"
#include "sampling/sampler.h"

namespace twostroke {

struct SampledToken {
  TokenId token = kNoToken;
  int64_t sampled_ns = 0;  // the caller's
  std::optional<TokenLogprob> logprob;
  std::vector<TokenLogprob> top_logprobs;
};

// `logits` ([vocab_size]) are as they were when it returns. An error ends this request and no
// other.
Result<SampledToken> sample_token(Sampler& sampler, std::span<float> logits,
                                  const ActiveRequest& request, const TokenText& token_text);

}  // namespace twostroke

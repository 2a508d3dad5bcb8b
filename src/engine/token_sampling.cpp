#include "engine/token_sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace twostroke {
namespace {

bool all_finite(std::span<const float> logits) {
  // Sums to NaN exactly when something is not finite; without a branch, so that it is one pass of
  // vectors.
  int num_bad = 0;
  for (const float logit : logits) {
    num_bad += std::abs(logit) <= std::numeric_limits<float>::max() ? 0 : 1;
  }
  return num_bad == 0;
}

// Before min_tokens no token may end the answer, so none is offered.
void mask_stop_tokens(std::span<float> logits, const ActiveRequest& request,
                      const TokenText& token_text) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  const OutputLimits& limits = request.output.limits();
  if (request.num_output_tokens() >= limits.min_tokens) return;
  for (const TokenId token : limits.stop_token_ids) logits[static_cast<size_t>(token)] = kNever;
  if (limits.ignore_eos) return;
  for (const TokenId token : token_text.end_of_generation_tokens()) {
    logits[static_cast<size_t>(token)] = kNever;
  }
}

}  // namespace

SampledToken sample_token(std::span<float> logits, const ActiveRequest& request,
                          const TokenText& token_text) {
  SampledToken sampled;
  if (!all_finite(logits)) return sampled;
  mask_stop_tokens(logits, request, token_text);
  sampled.token = static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin());
  return sampled;
}

}  // namespace twostroke

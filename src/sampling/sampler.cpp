#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "sampling/row_scan.h"

namespace twostroke {
namespace {

// The first index at which the running sum of weights exceeds target; the last that weighs anything
// when rounding left the sum below it.
size_t draw(std::span<const float> weights, double target) {
  double sum = 0;
  size_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0.0F) continue;
    sum += static_cast<double>(weights[i]);
    last = i;
    if (sum > target) break;
  }
  return last;
}

}  // namespace

Sampler::Sampler(size_t vocab_size) : edits_(vocab_size), weights_(vocab_size) {
  CHECK_GT(vocab_size, size_t{0});
  candidates_.reserve(vocab_size);
}

Result<SamplerOutput> Sampler::sample(const SamplingParams& params, const SamplerInput& input) {
  CHECK_EQ(input.logits.size(), weights_.size());
  RowMaximum maximum;
  if (!scan_maximum(input.logits, &maximum)) {
    return Error{ErrorCode::kCorrupt, "the model's logits are not finite", ""};
  }
  SamplerOutput output;
  if (params.num_logprobs >= 0) {
    score(params, input.logits, maximum.value);
    output.top_logprobs = top_logprobs_;
  }
  const size_t num_output_tokens = input.history.num_output_tokens();
  edits_.begin(input.logits);
  edits_.apply_bias_and_penalties(params, input.history);
  if (params.min_tokens > 0 && num_output_tokens < static_cast<size_t>(params.min_tokens)) {
    for (const std::span<const TokenId> tokens : input.stop_tokens) edits_.mask(tokens);
  }
  if (!edits_.is_empty()) maximum = masked_maximum(input.logits);
  if (std::isinf(maximum.value)) {
    edits_.restore();
    return Error{ErrorCode::kInvalidArgument, "no token may come next: all are masked",
                 "logit_bias"};
  }
  output.token = params.temperature == 0.0F
                     ? static_cast<TokenId>(maximum.index)
                     : choose(params, input.logits, maximum.value,
                              philox_uniform(params.seed, num_output_tokens));
  edits_.restore();
  if (params.num_logprobs >= 0) {
    output.logprob = logprob_of(input.logits[static_cast<size_t>(output.token)]);
  }
  return output;
}

void Sampler::score(const SamplingParams& params, std::span<const float> logits, float maximum) {
  log_normalizer_ = static_cast<double>(maximum) + std::log(sum_of_exp(logits, maximum));
  top_logprobs_.clear();
  select_top(logits, static_cast<size_t>(params.num_logprobs), candidates_);
  for (const Candidate& candidate : candidates_) {
    top_logprobs_.push_back({candidate.token, logprob_of(candidate.logit)});
  }
}

TokenId Sampler::choose(const SamplingParams& params, std::span<const float> logits, float maximum,
                        double uniform) {
  const bool limits_k = params.top_k > 0 && static_cast<size_t>(params.top_k) < logits.size();
  return limits_k ? choose_from_top_k(params, logits, maximum, uniform)
                  : choose_from_all(params, logits, maximum, uniform);
}

TokenId Sampler::choose_from_top_k(const SamplingParams& params, std::span<const float> logits,
                                   float maximum, double uniform) {
  select_top(logits, static_cast<size_t>(params.top_k), candidates_);
  double total = 0;
  size_t kept = 0;
  for (; kept < candidates_.size(); ++kept) {
    const float weight = exp_of_negative((candidates_[kept].logit - maximum) / params.temperature);
    if (weight < params.min_p) break;  // the likeliest weighs 1; the rest weighs less
    weights_[kept] = weight;
    total += static_cast<double>(weight);
  }
  candidates_.resize(kept);
  return draw_nucleus(params.top_p, total, uniform);
}

TokenId Sampler::choose_from_all(const SamplingParams& params, std::span<const float> logits,
                                 float maximum, double uniform) {
  double total = softmax_weights(logits, maximum, params.temperature, weights_);
  if (params.min_p > 0.0F) {
    total = 0;
    for (float& weight : weights_) {
      weight = weight < params.min_p ? 0.0F : weight;
      total += static_cast<double>(weight);
    }
  }
  if (params.top_p >= 1.0F) return static_cast<TokenId>(draw(weights_, uniform * total));
  // A nucleus is small nearly always; where it is not, look again for a larger one.
  for (size_t num_top = 256;; num_top *= 8) {
    select_top(logits, std::min(num_top, logits.size()), candidates_);
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const float weight = exp_of_negative((candidates_[i].logit - maximum) / params.temperature);
      weights_[i] = weight < params.min_p ? 0.0F : weight;
    }
    const TokenId token = draw_nucleus(params.top_p, total, uniform);
    if (token != kNoToken) return token;
    if (num_top >= logits.size())
      return candidates_[draw(std::span(weights_).first(candidates_.size()), uniform * total)]
          .token;
  }
}

TokenId Sampler::draw_nucleus(float top_p, double total, double uniform) const {
  const auto weights = std::span(weights_).first(candidates_.size());
  const double wanted = static_cast<double>(top_p) * total;
  double sum = 0;
  size_t size = 0;
  while (size < weights.size() && (size == 0 || sum < wanted)) {
    sum += static_cast<double>(weights[size++]);
  }
  if (sum < wanted) return kNoToken;
  return candidates_[draw(weights.first(size), uniform * sum)].token;
}

}  // namespace twostroke

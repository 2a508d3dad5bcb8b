#include "sampling/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/philox.h"
#include "sampling/row_scan.h"

namespace twostroke {
namespace {

constexpr size_t kSmallTopK = 1024;  // so few candidates are sorted and weighed alone
constexpr float kNever = -std::numeric_limits<float>::infinity();

// row: the logits of allowed tokens, kNever for the others.
void apply_mask(TokenMask allowed, std::span<const float> logits, std::span<float> row) {
  for (size_t i = 0; i < row.size(); ++i) {
    row[i] = (allowed[i / 32] >> (i % 32) & 1U) != 0 ? logits[i] : kNever;
  }
}

// Whether some token besides `stop_tokens` may come.
bool allows_more_than(TokenMask allowed,
                      const std::array<std::span<const TokenId>, 2>& stop_tokens) {
  int num_stops = 0;
  for (size_t i = 0; i < stop_tokens.size(); ++i) {
    for (const TokenId token : stop_tokens[i]) {
      const bool counted =
          i == 1 && std::ranges::find(stop_tokens[0], token) != stop_tokens[0].end();
      num_stops += is_allowed(allowed, token) && !counted ? 1 : 0;
    }
  }
  int num_allowed = 0;
  for (const uint32_t word : allowed) num_allowed += std::popcount(word);
  return num_allowed > num_stops;
}

// Stop tokens are masked before min_tokens, unless a grammar leaves nothing else.
bool must_go_on(const SamplingParams& params, const SamplerInput& input) {
  if (input.history.num_output_tokens() >= static_cast<size_t>(params.min_tokens)) return false;
  return input.allowed.empty() || allows_more_than(input.allowed, input.stop_tokens);
}

}  // namespace

Sampler::Sampler(size_t vocab_size)
    : row_(vocab_size), edits_(vocab_size), nucleus_(vocab_size), weights_(vocab_size) {
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
  std::span<float> row = input.logits;
  if (!input.allowed.empty()) {
    row = row_;
    apply_mask(input.allowed, input.logits, row);
  }
  edits_.begin(row);
  edits_.apply_bias_and_penalties(params, input.history);
  if (must_go_on(params, input)) {
    for (const std::span<const TokenId> tokens : input.stop_tokens) edits_.mask(tokens);
  }
  if (!edits_.is_empty() || !input.allowed.empty()) maximum = masked_maximum(row);
  if (std::isinf(maximum.value)) {
    edits_.restore();
    return Error{ErrorCode::kInvalidArgument, "no token may come next: all are masked",
                 "logit_bias"};
  }
  output.token =
      params.temperature == 0.0F
          ? static_cast<TokenId>(maximum.index)
          : choose(params, row, maximum.value, philox_uniform(params.seed, num_output_tokens));
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
  const auto top_k = static_cast<size_t>(std::max(params.top_k, 0));
  return top_k > 0 && top_k <= kSmallTopK ? choose_from_few(params, logits, maximum, uniform)
                                          : choose_from_all(params, logits, maximum, uniform);
}

TokenId Sampler::choose_from_few(const SamplingParams& params, std::span<const float> logits,
                                 float maximum, double uniform) {
  select_top(logits, static_cast<size_t>(params.top_k), candidates_);
  const auto weights = std::span(weights_).first(candidates_.size());
  for (size_t i = 0; i < candidates_.size(); ++i) {
    weights[i] = exp_of_negative((candidates_[i].logit - maximum) / params.temperature);
  }
  double total = drop_below(params.min_p, weights);
  if (params.top_p < 1.0F) {
    const double wanted = static_cast<double>(params.top_p) * total;
    total = 0;
    for (float& weight : weights) {
      if (total > 0 && total >= wanted) weight = 0.0F;
      total += static_cast<double>(weight);
    }
  }
  return candidates_[draw(weights, uniform * total)].token;
}

TokenId Sampler::choose_from_all(const SamplingParams& params, std::span<const float> logits,
                                 float maximum, double uniform) {
  double total = softmax_weights(logits, maximum, params.temperature, weights_);
  if (params.min_p > 0.0F) total = drop_below(params.min_p, weights_);
  if (params.top_k > 0 && static_cast<size_t>(params.top_k) < logits.size()) {
    total = keep_top_k(static_cast<size_t>(params.top_k), logits);
  }
  if (params.top_p < 1.0F) {
    total = nucleus_.keep(static_cast<double>(params.top_p) * total, logits, weights_);
  }
  return static_cast<TokenId>(draw(weights_, uniform * total));
}

double Sampler::keep_top_k(size_t top_k, std::span<const float> logits) {
  select_top_unsorted(logits, top_k, candidates_);
  const Candidate least = *std::max_element(candidates_.begin(), candidates_.end(), is_likelier);
  for (size_t i = 0; i < logits.size(); ++i) {
    if (is_likelier(least, {logits[i], static_cast<TokenId>(i)})) weights_[i] = 0.0F;
  }
  return sum_of(weights_);
}

}  // namespace twostroke

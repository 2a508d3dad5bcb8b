// Sampler: one row of logits and what a request asks for in, one token out. It owns the working
// memory, so that a warm step allocates nothing; one thread at a time. The draw is philox(seed,
// output index): the same seed gives the same text whatever else is in the batch.
//
// Order: the grammar's mask, logit_bias, repetition, presence and frequency penalties, mask of stop
// tokens before min_tokens, temperature, min_p, top_k, top_p (each over what the one before left,
// renormalised; as vLLM does), draw. Log probabilities are the model's own, before all of that (as
// OpenAI's and vLLM's are). Equal logits are ordered by token id.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "sampling/grammar.h"
#include "sampling/logit_edits.h"
#include "sampling/nucleus.h"
#include "sampling/sampling_params.h"
#include "sampling/top_tokens.h"

namespace twostroke {

struct ScoredToken {
  TokenId token = kNoToken;
  float logprob = 0;
};

struct SamplerInput {
  std::span<float>
      logits;  // [vocab_size]; changed while sampling, put back before sample() returns
  TokenHistory history;
  // Masked until params.min_tokens were generated: the model's own and the request's.
  std::array<std::span<const TokenId>, 2> stop_tokens;
  TokenMask allowed = {};  // a grammar's; empty: every token
};

struct SamplerOutput {
  TokenId token = kNoToken;
  std::optional<float> logprob;               // with params.num_logprobs >= 0
  std::span<const ScoredToken> top_logprobs;  // most likely first; valid until the next sample()
};

class Sampler {
 public:
  explicit Sampler(size_t vocab_size);

  // REQUIRES: params in the ranges that sampling_params.h states, tokens in [0, vocab_size).
  // kCorrupt when a logit is NaN or infinite; kInvalidArgument when every token is masked.
  Result<SamplerOutput> sample(const SamplingParams& params, const SamplerInput& input);

 private:
  TokenId choose(const SamplingParams& params, std::span<const float> logits, float maximum,
                 double uniform);
  TokenId choose_from_few(const SamplingParams& params, std::span<const float> logits,
                          float maximum, double uniform);
  TokenId choose_from_all(const SamplingParams& params, std::span<const float> logits,
                          float maximum, double uniform);
  double keep_top_k(size_t top_k,
                    std::span<const float> logits);  // zeroes other weights; their sum
  float logprob_of(float logit) const {
    return static_cast<float>(static_cast<double>(logit) - log_normalizer_);
  }
  void score(const SamplingParams& params, std::span<const float> logits, float maximum);

  std::vector<float> row_;  // [vocab_size]; the row under a mask
  LogitEdits edits_;
  Nucleus nucleus_;
  std::vector<Candidate> candidates_;  // at most vocab_size
  std::vector<float> weights_;         // [vocab_size]; of the row, or of candidates_
  std::vector<ScoredToken> top_logprobs_;
  double log_normalizer_ = 0;  // log of the sum of exp(logit)
};

}  // namespace twostroke

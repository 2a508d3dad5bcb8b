// What a request asks to be changed in a row of logits before sampling: logit_bias, then penalties,
// then the mask of stop tokens before min_tokens. Remembers what it changed, so that the row can be
// put back and log probabilities be those of the model. One thread; reused from row to row without
// allocating.
//
// repetition_penalty r (llama.cpp, Hugging Face): every token among the last repeat_last_n of
// prompt and output, once:
//   logit > 0 ? logit / r : logit * r.
// presence and frequency (OpenAI, vLLM): over the output alone: logit -= presence + frequency *
// count.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "sampling/sampling_params.h"

namespace twostroke {

struct TokenHistory {
  std::span<const TokenId> tokens;  // prompt, then output so far; all in [0, vocab_size)
  size_t num_prompt_tokens = 0;     // <= tokens.size()

  size_t num_output_tokens() const { return tokens.size() - num_prompt_tokens; }
  std::span<const TokenId> output() const { return tokens.subspan(num_prompt_tokens); }
};

class LogitEdits {
 public:
  explicit LogitEdits(size_t vocab_size);

  // The row must not move until restore().
  void begin(std::span<float> logits);
  void apply_bias_and_penalties(const SamplingParams& params, const TokenHistory& history);
  void mask(std::span<const TokenId> tokens);
  bool is_empty() const { return edits_.empty(); }
  void restore();

 private:
  struct Marks {
    uint32_t edited = 0, repeated = 0;  // the row_ in which it last was
    int32_t count = 0;                  // in the output; 0 between rows
  };
  struct Edit {
    TokenId token;
    float logit;  // as the model had it
  };

  float& edit(TokenId token);  // the logit, remembered before its first change
  void penalize_repetition(float penalty, std::span<const TokenId> window);
  void penalize_output(const SamplingParams& params, std::span<const TokenId> output);

  std::span<float> logits_;
  uint32_t row_ = 0;          // counts rows; a mark of another row is no mark
  std::vector<Marks> marks_;  // [vocab_size]
  std::vector<Edit> edits_;   // at most vocab_size
};

}  // namespace twostroke

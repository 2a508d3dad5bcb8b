// What a request asks of the sampler. Plain data, validated where it enters (server, apps).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace twostroke {

struct SamplingParams {
  float temperature = 1.0F;         // 0 is greedy
  int top_k = 0;                    // 0: off
  float top_p = 1.0F;               // (0, 1], 1: off
  float min_p = 0.0F;               // [0, 1], 0: off
  float repetition_penalty = 1.0F;  // > 0, 1: off; divides positive and multiplies negative logits
  float presence_penalty = 0.0F;    // [-2, 2]
  float frequency_penalty = 0.0F;   // [-2, 2]
  int repeat_last_n = 64;  // window of repetition_penalty in tokens; -1: the whole context; 0: off
  uint64_t seed = 0;
  int num_logprobs = -1;  // -1: none; 0: the chosen token's; n: and the n most likely
  int min_tokens = 0;     // stop tokens are masked until so many tokens were generated
  std::vector<std::pair<TokenId, float>> logit_bias;
};

}  // namespace twostroke

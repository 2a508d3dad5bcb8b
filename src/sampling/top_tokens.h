// The n most likely tokens of a row without sorting it. Reuses the caller's vector, so that a warm
// step allocates nothing. Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/ids.h"

namespace twostroke {

struct Candidate {
  float logit = 0;
  TokenId token = kNoToken;
};

// Most likely first; of equals the lower id first. A total order, so every selection below has one
// answer.
inline bool is_likelier(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

// Fills `top` with the min(n, unmasked) most likely tokens, most likely first. Masked tokens (-inf)
// never count; there is no NaN. Grows `top` to at most logits.size() elements.
void select_top(std::span<const float> logits, size_t n, std::vector<Candidate>& top);

// The same tokens in no order.
void select_top_unsorted(std::span<const float> logits, size_t n, std::vector<Candidate>& top);

}  // namespace twostroke

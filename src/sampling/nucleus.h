// top_p without sorting the vocabulary: weights are summed up in bins of nearly equal weight, and
// only the bin in which the sum reaches its goal is sorted. One thread; reused from row to row
// without allocating.
#pragma once

#include <span>
#include <vector>

#include "sampling/top_tokens.h"

namespace twostroke {

class Nucleus {
 public:
  explicit Nucleus(size_t vocab_size);

  // Zeroes all weights but those of the smallest set of likeliest tokens that has `wanted` of the
  // sum (at least one token; all of them when rounding keeps the sum below it). Returns the sum of
  // what is left. Weights are in [0, 1] and grow with the logits, which decide between equal
  // weights.
  double keep(double wanted, std::span<const float> logits, std::span<float> weights);

 private:
  std::vector<double> bin_sums_;
  std::vector<Candidate>
      border_;  // the tokens of the bin that holds the border; at most vocab_size
};

}  // namespace twostroke

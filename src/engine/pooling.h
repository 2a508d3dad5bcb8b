// Pooling: the hidden states of a prompt's tokens become one vector. Rows come in the order of
// their positions, whatever the chunks, and are added one by one, so that the vector has the same
// bits however the prompt was cut (law 1). Engine thread only.
#pragma once

#include <span>
#include <vector>

namespace twostroke {

enum class Pooling {
  kNone,  // the request generates text
  kMean,  // of all tokens
  kLast,  // the last token's
  kCls,   // the first token's
};

class Pooler {
 public:
  Pooler(Pooling pooling, int num_tokens) : pooling_(pooling), num_tokens_(num_tokens) {}

  bool wants(int position) const;
  // `row`: [hidden] f32. A position of 0 starts anew: the request was preempted.
  // REQUIRES: wants(position); for kMean, position follows the one before.
  void add(int position, std::span<const float> row);
  // [hidden], not normalised. REQUIRES: every wanted position was added.
  std::vector<float> result() const;

 private:
  Pooling pooling_;
  int num_tokens_;
  int num_added_ = 0;
  std::vector<double> sum_;  // [hidden]
};

}  // namespace twostroke

#include "sampling/top_tokens.h"

#include <algorithm>
#include <limits>

namespace twostroke {
namespace {

// Keeps the n likeliest, in no order, and returns the logit of the least likely one.
float keep_likeliest(size_t n, std::vector<Candidate>& candidates) {
  const auto last = candidates.begin() + static_cast<std::ptrdiff_t>(n - 1);
  std::nth_element(candidates.begin(), last, candidates.end(), is_likelier);
  const float logit = last->logit;
  candidates.resize(n);
  return logit;
}

}  // namespace

void select_top(std::span<const float> logits, size_t n, std::vector<Candidate>& top) {
  select_top_unsorted(logits, n, top);
  std::sort(top.begin(), top.end(), is_likelier);
}

void select_top_unsorted(std::span<const float> logits, size_t n, std::vector<Candidate>& top) {
  constexpr size_t kSlack = 4096;  // candidates to collect before it pays to throw some out
  top.clear();
  if (n == 0) return;
  const size_t limit = std::max(2 * n, n + kSlack);
  // Tokens come in order of their ids, so one that only equals the threshold is behind the n that
  // made it.
  float threshold = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] > threshold)) continue;
    top.push_back({logits[i], static_cast<TokenId>(i)});
    if (top.size() == limit) threshold = keep_likeliest(n, top);
  }
  if (top.size() > n) keep_likeliest(n, top);
}

}  // namespace twostroke

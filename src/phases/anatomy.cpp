#include "phases/anatomy.h"

#include <algorithm>
#include <cmath>

namespace twostroke {
namespace {

int overlap(int first, int end, int other_first, int other_end) {
  return std::max(0, std::min(end, other_end) - std::max(first, other_first));
}

// What of the chunk's time the tokens [chunk.first_token, until) have: monotone in `until`, 0 at
// the chunk's start and all of it at its end, so neighbouring parts always sum to the whole.
int64_t share_until(const ComputedChunk& chunk, int until, const CostModel& model) {
  const int num_tokens = std::clamp(until - chunk.first_token, 0, chunk.num_tokens);
  if (num_tokens == 0) return 0;
  if (num_tokens == chunk.num_tokens) return chunk.own_ns;
  const double part = model.marginal_ns(shape_of(chunk.first_token, num_tokens, false));
  const double whole = model.marginal_ns(shape_of(chunk.first_token, chunk.num_tokens, false));
  const double fraction = whole > 0 ? part / whole : double(num_tokens) / chunk.num_tokens;
  return std::clamp<int64_t>(std::llround(double(chunk.own_ns) * fraction), 0, chunk.own_ns);
}

}  // namespace

int64_t prefill_ns_of(int first_token, int end_token, std::span<const ComputedChunk> chunks,
                      const CostModel& model) {
  int64_t ns = 0;
  for (const ComputedChunk& chunk : chunks) {
    ns += share_until(chunk, end_token, model) - share_until(chunk, first_token, model);
  }
  return ns;
}

std::vector<SpanCost> costs_of_spans(std::span<const PromptSpan> spans, int num_cached_tokens,
                                     std::span<const ComputedChunk> chunks,
                                     const CostModel& model) {
  std::vector<SpanCost> costs;
  costs.reserve(spans.size());
  for (const PromptSpan& span : spans) {
    const int end = span.first_token + span.num_tokens;
    SpanCost cost;
    cost.cached_tokens = overlap(span.first_token, end, 0, num_cached_tokens);
    for (const ComputedChunk& chunk : chunks) {
      if (chunk.is_aborted) continue;
      cost.computed_tokens +=
          overlap(span.first_token, end, chunk.first_token, chunk.first_token + chunk.num_tokens);
    }
    cost.prefill_ns = prefill_ns_of(span.first_token, end, chunks, model);
    costs.push_back(cost);
  }
  return costs;
}

}  // namespace twostroke

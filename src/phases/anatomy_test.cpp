// What spans cost: on random prompts, chunks and cached prefixes the parts are never negative and
// their sums are exact; a worked example; and the proportions follow the cost model.
#include "phases/anatomy.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace twostroke {
namespace {

std::vector<PromptSpan> spans_of(const std::vector<int>& token_counts) {
  std::vector<PromptSpan> spans;
  int first = 0;
  for (const int count : token_counts) {
    spans.push_back({.source = "message[0]", .first_token = first, .num_tokens = count});
    first += count;
  }
  return spans;
}

// Learns steps that cost a fixed time and 0.1 ms a token.
CostModel flat_model() {
  CostModel model;
  for (int i = 0; i < 4000; ++i) {
    const StepShape step{
        .num_tokens = 1 + i * 37 % 100, .token_contexts = i * 53 % 7919, .num_logits = i * 29 % 7};
    model.observe(step, 4'000'000 + 100'000 * step.num_tokens);
  }
  return model;
}

TEST(Anatomy, SharesAChunkByTokensWhereTokensCostTheSame) {
  const std::vector<PromptSpan> spans = spans_of({10, 0, 30, 60});
  const std::vector<ComputedChunk> chunks = {{20, 50, 5'000'000}, {70, 30, 6'000'000}};
  const std::vector<SpanCost> costs = costs_of_spans(spans, 20, chunks, flat_model());
  ASSERT_EQ(costs.size(), 4U);
  EXPECT_EQ(costs[0].cached_tokens, 10);
  EXPECT_EQ(costs[0].computed_tokens, 0);
  EXPECT_EQ(costs[0].prefill_ns, 0);
  EXPECT_EQ(costs[1].prefill_ns, 0);
  EXPECT_EQ(costs[2].cached_tokens, 10);
  EXPECT_EQ(costs[2].computed_tokens, 20);
  EXPECT_NEAR(double(costs[2].prefill_ns), 2e6, 2e4);
  EXPECT_EQ(costs[3].computed_tokens, 60);
  EXPECT_EQ(costs[2].prefill_ns + costs[3].prefill_ns, 11'000'000);
}

// Later tokens look back at more: where attention is what costs, they have more of the time.
TEST(Anatomy, LaterTokensCostMoreWhereAttentionCosts) {
  CostModel model;
  for (int i = 1; i < 3000; ++i) {
    const StepShape step{
        .num_tokens = 1 + i * 37 % 100, .token_contexts = i * 53 % 7919, .num_logits = i * 29 % 7};
    model.observe(step, 1000 + 100 * step.token_contexts);
  }
  const std::vector<ComputedChunk> chunks = {{0, 200, 40'000'000}};
  const std::vector<SpanCost> costs = costs_of_spans(spans_of({100, 100}), 0, chunks, model);
  EXPECT_NEAR(double(costs[0].prefill_ns), 1e7, 5e5);  // a quarter of the triangle
  EXPECT_EQ(costs[0].prefill_ns + costs[1].prefill_ns, 40'000'000);
}

TEST(Anatomy, SumsAreExactOnRandomPrompts) {
  std::mt19937 random(7);
  const auto up_to = [&](int max) { return std::uniform_int_distribution<int>(0, max)(random); };
  const CostModel untrained;
  const CostModel flat = flat_model();
  for (int round = 0; round < 500; ++round) {
    std::vector<int> counts;
    int total = 0;
    for (int i = up_to(12); i >= 0; --i) total += counts.emplace_back(up_to(40));
    const int cached = total == 0 ? 0 : up_to(total - 1);
    // As far as it came: a request may end in the middle of its prefill.
    const int reached = cached + up_to(total - cached);
    std::vector<ComputedChunk> chunks;
    int64_t own_ns = 0;
    for (int at = cached; at < reached;) {
      const int num = std::min(reached - at, 1 + up_to(30));
      chunks.push_back({at, num, up_to(1 << 30), up_to(9) == 0});
      own_ns += chunks.back().own_ns;
      at += chunks.back().is_aborted ? 0 : num;
    }
    SpanCost sum;
    const std::vector<PromptSpan> spans = spans_of(counts);
    for (const SpanCost& cost :
         costs_of_spans(spans, cached, chunks, round % 2 == 0 ? untrained : flat)) {
      EXPECT_GE(cost.prefill_ns, 0);
      sum.cached_tokens += cost.cached_tokens;
      sum.computed_tokens += cost.computed_tokens;
      sum.prefill_ns += cost.prefill_ns;
    }
    EXPECT_EQ(sum.cached_tokens, cached);
    EXPECT_EQ(sum.computed_tokens, reached - cached);
    EXPECT_EQ(sum.prefill_ns, own_ns);
  }
}

}  // namespace
}  // namespace twostroke

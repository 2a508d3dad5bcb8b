// A warm step allocates nothing; allocation_counter_test.cpp counts every operator new of this test
// program.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sampling/sampler.h"

namespace twostroke {

extern std::atomic<int64_t> num_allocations;

namespace {

TEST(SamplerAllocationTest, AWarmStepAllocatesNothing) {
  std::vector<float> logits(50000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = 9 * std::sin(static_cast<float>(i));
  std::vector<TokenId> tokens(3000);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<TokenId>((i * i) % logits.size());
  const std::vector<TokenId> stop_tokens = {1, 2};
  std::vector<SamplingParams> all(4);
  all[0].temperature = 0;
  all[1].top_p = 0.9999F;
  all[2].top_k = 40;
  all[2].repetition_penalty = 1.1F;
  all[2].repeat_last_n = -1;
  all[3].presence_penalty = all[3].frequency_penalty = 0.5F;
  all[3].logit_bias = {{5, 1.0F}};
  all[3].min_tokens = 5000;
  all[3].num_logprobs = 20;
  Sampler sampler(logits.size());
  int64_t before = 0;
  for (int round = 0; round < 3; ++round) {
    if (round == 1) before = num_allocations;
    for (const SamplingParams& params : all) {
      const auto output = sampler.sample(params, {logits, {tokens, 1000}, {stop_tokens, {}}});
      ASSERT_TRUE(output.ok());
    }
  }
  EXPECT_GT(before, 0);
  EXPECT_EQ(num_allocations, before);
}

}  // namespace
}  // namespace twostroke

// The split of a step: the worked example of the header, and the properties it must have for any
// step and any model.
#include "phases/step_split.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace twostroke {
namespace {

double in_ns(int64_t ns) {
  return static_cast<double>(ns);
}

// A model that learnt exactly fixed + per-token cost: steps that differ in tokens only.
CostModel example_model() {
  CostModel model;
  for (int i = 0; i < 4000; ++i) {
    const StepShape step{
        .num_tokens = 1 + i * 37 % 100, .token_contexts = i * 53 % 7919, .num_logits = i * 29 % 7};
    model.observe(step, 4'000'000 + 100'000 * step.num_tokens);
  }
  return model;
}

TEST(StepSplit, IsTheWorkedExample) {
  const CostModel model = example_model();
  const std::vector<StepShare> shares = {{.first_token = 9, .num_tokens = 1, .is_decode = true},
                                         {.first_token = 9, .num_tokens = 1, .is_decode = true},
                                         {.first_token = 0, .num_tokens = 98}};
  std::vector<StepSplit> splits(3);
  split_step(model, 20'000'000, shares, splits);
  constexpr double kTolerance = 20'000;  // 0.1 % of the step: the model's coefficients are fitted
  EXPECT_NEAR(in_ns(splits[0].own_ns), 5.857e6, kTolerance);
  EXPECT_NEAR(in_ns(splits[0].decode_others_ns), 0.143e6, kTolerance);
  EXPECT_NEAR(in_ns(splits[0].prefill_others_ns), 14.000e6, kTolerance);
  EXPECT_NEAR(in_ns(splits[1].own_ns), 5.857e6, kTolerance);
  EXPECT_NEAR(in_ns(splits[2].own_ns), 19.714e6, kTolerance);
  EXPECT_NEAR(in_ns(splits[2].decode_others_ns), 0.286e6, kTolerance);
  EXPECT_EQ(splits[2].prefill_others_ns, 0);
}

TEST(StepSplit, AloneEverythingIsItsOwnHoweverSlowTheStepWas) {
  const CostModel model = example_model();
  const std::vector<StepShare> shares = {{.num_tokens = 1, .is_decode = true},
                                         {.num_tokens = 0, .is_decode = true}};
  std::vector<StepSplit> splits(2);
  split_step(model, 999'999'999, shares, splits);
  EXPECT_EQ(splits[0].own_ns, 999'999'999);
  EXPECT_EQ(splits[1].own_ns, 0);  // it had no tokens in the step
  EXPECT_EQ(splits[1].decode_others_ns, 999'999'999);
}

TEST(StepSplit, PartsAreNeverNegativeAndSumToTheStepExactly) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    CostModel model;  // anything it may have learnt
    for (unsigned i = 0; i < random() % 20; ++i) {
      model.observe(shape_of(static_cast<int>(random() % 500), static_cast<int>(1 + random() % 64),
                             random() % 2 == 0),
                    static_cast<int64_t>(random() % 10'000'000));
    }
    std::vector<StepShare> shares(1 + random() % 8);
    for (StepShare& share : shares) {
      share = {.first_token = static_cast<int>(random() % 4000),
               .num_tokens = static_cast<int>(random() % 200),
               .needs_logits = random() % 2 == 0,
               .is_decode = random() % 2 == 0};
    }
    const auto forward_ns =
        static_cast<int64_t>(random() % 4 == 0 ? random() % 3 : random() % 5'000'000'000);
    std::vector<StepSplit> splits(shares.size());
    split_step(model, forward_ns, shares, splits);
    for (const StepSplit& split : splits) {
      ASSERT_GE(split.own_ns, 0);
      ASSERT_LE(split.own_ns, forward_ns);
      ASSERT_GE(split.decode_others_ns, 0);
      ASSERT_GE(split.prefill_others_ns, 0);
      ASSERT_EQ(split.own_ns + split.decode_others_ns + split.prefill_others_ns, forward_ns);
    }
  }
}

}  // namespace
}  // namespace twostroke

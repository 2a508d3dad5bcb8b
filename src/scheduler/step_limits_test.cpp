// Goal: a step's cost limit cuts prompts where the cost says, never decodes, and never stops a
// prompt altogether. Method: costs made of round numbers, worked out by hand.
#include "scheduler/step_limits.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "scheduler/scheduler.h"

namespace twostroke {
namespace {

// 100 fixed, 10 a token, 1 for each token looked at, 50 a row of logits.
class RoundCost final : public StepCost {
 public:
  int64_t cost_of(const StepLoad& load) const override {
    return 100 + 10 * load.num_tokens + load.token_contexts + 50 * load.num_logits;
  }
};

TEST(TokensWithin, IsTheLargestThatFits) {
  const RoundCost cost;
  for (const int first_token : {0, 7, 100}) {
    for (const int64_t limit : {0, 99, 111, 160, 161, 500, 5000, 100'000}) {
      const StepLoad load{.num_tokens = 2, .token_contexts = 9, .num_logits = 1};
      const int found = tokens_within(cost, load, first_token, 40, limit);
      int expected = 0;
      for (int n = 1; n <= 40; ++n) {
        const int64_t contexts = int64_t{n} * first_token + n * (n + 1) / 2;
        const int64_t all = 100 + 10 * (2 + n) + 9 + contexts + 50 + (n == 40 ? 50 : 0);
        if (all <= limit) expected = n;
      }
      EXPECT_EQ(found, expected) << first_token << " " << limit;
    }
  }
}

class StepLimitsTest : public testing::Test {
 protected:
  Request& submit(int num_prompt_tokens, TokenId first) {
    auto request = std::make_unique<Request>();
    request->id = requests_.size() + 1;
    for (int i = 0; i < num_prompt_tokens; ++i) request->tokens.push_back(first + i);
    request->num_prompt_tokens = num_prompt_tokens;
    scheduler_.add(*request);
    requests_.push_back(std::move(request));
    return *requests_.back();
  }

  const StepPlan& step(const StepLimits& limits) {
    const StepPlan& plan = scheduler_.schedule(limits);
    scheduler_.complete(plan);
    for (const ScheduledRequest& item : plan.scheduled) {
      if (item.needs_logits) item.request->tokens.push_back(9000 + item.request->num_tokens());
    }
    scheduler_.check_invariants();
    return plan;
  }

  RoundCost cost_;
  KvCache cache_{200, 4};
  Scheduler scheduler_{{.max_step_tokens = 512,
                        .max_running = 8,
                        .max_prefill_tokens_with_decode = 512,
                        .min_prefill_tokens = 3},
                       cache_};
  std::vector<std::unique_ptr<Request>> requests_;
};

TEST_F(StepLimitsTest, WithoutACostTheTokenLimitsAlone) {
  submit(400, 0);
  EXPECT_EQ(step({}).num_tokens, 400);
}

TEST_F(StepLimitsTest, APromptIsCutToTheLimitOfItsKindOfStep) {
  submit(4, 0);
  const StepLimits limits{.cost = &cost_, .max_with_decode = 400, .max_without = 1000};
  EXPECT_EQ(step(limits).num_tokens, 4);
  submit(200, 1000);
  // The decode looks at 5 tokens: 100 + 10 + 5 + 50 = 165; 235 are left, and n tokens cost
  // 10 n + n (n + 1) / 2: 13 of them 221.
  const StepPlan& with_decode = step(limits);
  ASSERT_EQ(with_decode.scheduled.size(), 2U);
  EXPECT_EQ(with_decode.scheduled[1].num_tokens, 13);
  scheduler_.remove(*requests_[0]);
  // 900 are left; after 13 tokens n more cost 23 n + n (n + 1) / 2: 25 of them exactly 900.
  const StepPlan& without = step(limits);
  ASSERT_EQ(without.scheduled.size(), 1U);
  EXPECT_EQ(without.scheduled[0].num_tokens, 25);
}

TEST_F(StepLimitsTest, LaterContextGetsSmallerChunks) {
  submit(300, 0);
  const StepLimits limits{.cost = &cost_, .max_without = 2000};
  int last = 1000;
  while (requests_[0]->num_wanted_tokens() > 1) {
    const StepPlan& plan = step(limits);
    if (plan.num_logits > 0) break;
    EXPECT_LE(plan.num_tokens, last);
    last = plan.num_tokens;
  }
  EXPECT_LT(last, 10);  // the first one has 52
}

TEST_F(StepLimitsTest, DecodesAreNeverCutAndOnePromptAlwaysGoesOn) {
  for (int i = 0; i < 4; ++i) submit(4, 100 * i);
  const StepLimits limits{.cost = &cost_, .max_with_decode = 1, .max_without = 1};
  while (requests_[3]->num_wanted_tokens() > 1) step(limits);
  submit(50, 5000);
  submit(50, 6000);
  const StepPlan& plan = step(limits);
  EXPECT_EQ(plan.num_decodes, 4);
  ASSERT_EQ(plan.scheduled.size(), 5U);  // the first prompt's minimum, nothing of the second
  EXPECT_EQ(plan.scheduled[4].num_tokens, 3);
  EXPECT_EQ(plan.wait_reason, WaitReason::kTurn);
}

}  // namespace
}  // namespace twostroke

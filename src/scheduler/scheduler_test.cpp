// Scheduler: the properties that hold for any mix of requests. What single steps look like is in
// tests/scenarios, as text.
#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

namespace twostroke {
namespace {

class SchedulerTest : public testing::Test {
 protected:
  void make(const SchedulerConfig& config, int num_blocks, int block_size = 4) {
    cache_ = std::make_unique<KvCache>(num_blocks, block_size);
    scheduler_ = std::make_unique<Scheduler>(config, *cache_);
  }

  Request& submit(int num_prompt_tokens, TokenId first = 0) {
    auto request = std::make_unique<Request>();
    request->id = ++last_id_;
    for (int i = 0; i < num_prompt_tokens; ++i) request->tokens.push_back(first + i);
    request->num_prompt_tokens = num_prompt_tokens;
    scheduler_->add(*request);
    requests_.push_back(std::move(request));
    return *requests_.back();
  }

  // One step as the engine does it: everyone who catches up gets a token.
  const StepPlan& step() {
    const StepPlan& plan = scheduler_->schedule();
    scheduler_->complete(plan);
    for (const ScheduledRequest& item : plan.scheduled) {
      if (item.needs_logits) item.request->tokens.push_back(1000 + item.request->num_tokens());
    }
    scheduler_->check_invariants();
    return plan;
  }

  std::unique_ptr<KvCache> cache_;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<std::unique_ptr<Request>> requests_;
  RequestId last_id_ = 0;
};

TEST_F(SchedulerTest, RefusesAPromptThatCanNeverFitWithBothNumbers) {
  make({.max_step_tokens = 8, .max_running = 2}, 4);
  EXPECT_TRUE(scheduler_->check_fits(16).ok());
  const Status status = scheduler_->check_fits(17);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(status.error().message.find("needs 5 KV blocks"), std::string::npos);
  EXPECT_NE(status.error().message.find("pool has 4"), std::string::npos);
}

TEST_F(SchedulerTest, EveryDecodeGetsItsTokenInEveryStep) {
  make({.max_step_tokens = 4, .max_running = 4, .max_prefill_tokens_with_decode = 2}, 64);
  for (TokenId i = 0; i < 6; ++i) submit(3 + i, 100 * i);
  for (int i = 0; i < 40; ++i) {
    std::vector<Request*> decoding;
    for (Request* request : scheduler_->running()) {
      if (request->num_wanted_tokens() == 1) decoding.push_back(request);
    }
    const StepPlan& plan = step();
    ASSERT_LE(plan.num_tokens, 4);
    ASSERT_GE(plan.scheduled.size(), decoding.size());
    for (size_t k = 0; k < decoding.size(); ++k) {  // first, oldest first
      ASSERT_EQ(plan.scheduled[k].request, decoding[k]);
    }
  }
}

TEST_F(SchedulerTest, PrefillIsLimitedWhileSomebodyDecodes) {
  make({.max_step_tokens = 32, .max_running = 4, .max_prefill_tokens_with_decode = 8}, 64);
  submit(4);
  step();
  submit(30, 100);
  submit(30, 200);
  const StepPlan& plan = step();
  ASSERT_EQ(plan.scheduled.size(), 2U);
  EXPECT_EQ(plan.scheduled[1].num_tokens, 8);
  EXPECT_EQ(plan.wait_reason, WaitReason::kTurn);
}

TEST_F(SchedulerTest, RemovesFromAnyState) {
  make({.max_step_tokens = 8, .max_running = 1}, 8);
  Request& running = submit(10);
  Request& waiting = submit(10, 50);
  Request& last = submit(10, 90);
  step();
  scheduler_->remove(waiting);
  EXPECT_EQ(waiting.state, RequestState::kFinished);
  scheduler_->remove(running);
  EXPECT_EQ(cache_->pool().num_referenced(), 0);
  step();
  EXPECT_EQ(last.state, RequestState::kRunning);
  scheduler_->remove(last);
  EXPECT_FALSE(scheduler_->has_work());
  scheduler_->check_invariants();
}

TEST_F(SchedulerTest, NobodyIsLetInHalfWayWhileAnotherStillNeedsTheBlocks) {
  make({.max_step_tokens = 4, .max_running = 4}, 10);
  Request& first = submit(24);  // six blocks, one a step
  Request& second = submit(24, 100);
  for (int i = 0; i < 6; ++i) step();
  EXPECT_EQ(first.num_computed_tokens, 24);
  EXPECT_EQ(second.state, RequestState::kWaiting);  // nine blocks would be free at first sight
  EXPECT_EQ(first.num_preemptions + second.num_preemptions, 0);
}

// Random load on a tiny pool: blocks are conserved (check_invariants in every step), order is kept,
// and everyone finishes.
TEST_F(SchedulerTest, EveryoneFinishesOnATinyPool) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    make({.max_step_tokens = static_cast<int>(3 + random() % 8),
          .max_running = 3,
          .max_prefill_tokens_with_decode = static_cast<int>(1 + random() % 4)},
         8, 2);
    requests_.clear();
    for (int i = 0; i < 12; ++i) {
      submit(static_cast<int>(1 + random() % 10), static_cast<TokenId>(random() % 3));
    }
    int num_steps = 0;
    while (scheduler_->has_work()) {
      ASSERT_LT(++num_steps, 2000) << "seed " << seed;
      ASSERT_FALSE(step().empty());
      for (const auto& request : requests_) {
        const bool full = request->num_tokens() == 16 || request->num_output_tokens() == 6;
        if (request->state == RequestState::kRunning && full) scheduler_->remove(*request);
      }
    }
    EXPECT_EQ(cache_->pool().num_referenced(), 0);
  }
}

}  // namespace
}  // namespace twostroke

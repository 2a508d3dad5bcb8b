// Goal: a cancel is noticed within a step where most of the step is for nobody any more, costs
// nobody a wrong token, and cannot be used to keep others from their tokens. Method: the fake model
// lets the test cancel in the middle of a forward pass.
#include <gtest/gtest.h>

#include "testing/engine_fixture.h"

namespace twostroke {
namespace {

class EngineCancelTest : public EngineFixture {
 protected:
  EngineCancelTest() {
    config_.max_step_tokens = 64;
    config_.max_prefill_tokens_with_decode = 64;
    model_config_.num_blocks = 200;
    make_engine();
  }

  // Cancels `client` in the middle of the next forward pass.
  void step_cancelling(const Client& client) {
    model_->set_during_forward([this, &client] { engine_->cancel(client.id); });
    step();
    model_->set_during_forward(nullptr);
  }
};

TEST_F(EngineCancelTest, ALongPromptEndsWithinItsStep) {
  const Client client = submit(input_of(prompt_of(200), 5));
  const int64_t before_ns = clock_.now_ns();
  step_cancelling(client);
  const int64_t whole_step_ns = model_config_.fixed_ns + 64 * model_config_.token_ns;
  EXPECT_EQ(clock_.now_ns() - before_ns, whole_step_ns / 2);  // the fake model stops half-way
  step();
  EXPECT_EQ(answer_of(client).summary.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(engine_->stats().num_blocks_free, 200);
}

TEST_F(EngineCancelTest, WhatWasHalfComputedIsNotTakenForComputed) {
  const Client left = submit(input_of(prompt_of(100), 5));
  step_cancelling(left);
  const Answer answer = run_alone(input_of(prompt_of(100), 6));
  EXPECT_EQ(answer.summary.num_cached_tokens, 0);
  EXPECT_EQ(answer.tokens, fake_generate(prompt_of(100), 6, model_config_.vocab_size));
}

TEST_F(EngineCancelTest, ASmallPartOfAStepDoesNotEndIt) {
  const Client stays = submit(input_of(prompt_of(50), 5));
  const Client leaves = submit(input_of(prompt_of(40, 3), 5));  // 14 of its tokens fit
  step_cancelling(leaves);
  EXPECT_EQ(stays.stream->take().size(), 1U);
  run_until_idle();
  EXPECT_TRUE(stays.stream->finished());
}

TEST_F(EngineCancelTest, ThoseWhoStayLoseAtMostEveryOtherStep) {
  const Client stays = submit(input_of(prompt_of(8), 30));
  int num_steps = 0;
  while (!stays.stream->finished()) {
    ASSERT_LT(++num_steps, 70);
    const Client leaves = submit(input_of(prompt_of(300, 1 + num_steps % 7), 5));
    step_cancelling(leaves);
  }
  EXPECT_GT(num_steps, 45);  // some steps were given up
  run_until_idle();
  EXPECT_EQ(answer_of(stays).tokens, fake_generate(prompt_of(8), 30, model_config_.vocab_size));
}

}  // namespace
}  // namespace twostroke

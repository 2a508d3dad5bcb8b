// Goal: with a target, no step of a machine that is as the cost model thinks takes longer than it
// while somebody decodes, whatever prompts arrive, and the answers are those of alone. Method: the
// fake model's linear machine on a manual clock.
#include "engine/step_targets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "testing/engine_fixture.h"

namespace twostroke {
namespace {

constexpr int64_t kMs = 1'000'000;

class TargetTest : public EngineFixture {
 protected:
  TargetTest() {
    model_config_.num_blocks = 2000;
    config_.max_step_tokens = 512;
    config_.max_prefill_tokens_with_decode = 512;
    config_.calibration_ns = 1000 * kMs;
    config_.num_step_records = 4096;
  }
};

TEST_F(TargetTest, NoStepWithADecodeIsLongerThanTheTarget) {
  config_.target_itl_ns = 5 * kMs;  // 1 ms fixed and 0.05 ms a token: 80 tokens
  make_engine();
  const Client reader = submit(input_of(prompt_of(8), 200));
  step(3);
  std::vector<Client> others;
  for (int i = 0; i < 3; ++i) others.push_back(submit(input_of(prompt_of(900, i + 2), 4)));
  run_until_idle();
  int64_t largest = 0;
  for (const StepRecord& record : engine_->observer().steps().since(3)) {
    if (record.num_decode_tokens == 0) continue;
    EXPECT_LE(record.forward_end_ns - record.forward_start_ns, 5 * kMs + kMs / 5);
    largest = std::max(largest, record.num_prefill_tokens);
  }
  EXPECT_GE(largest, 70);  // the target is used, not only kept
  const Answer answer = answer_of(reader);
  EXPECT_EQ(answer.tokens, fake_generate(prompt_of(8), 200, model_config_.vocab_size));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answer_of(others[static_cast<size_t>(i)]).tokens,
              fake_generate(prompt_of(900, i + 2), 4, model_config_.vocab_size));
  }
}

TEST_F(TargetTest, StepsWithoutADecodeAreLarge) {
  config_.target_itl_ns = 5 * kMs;
  make_engine();
  submit(input_of(prompt_of(900), 1));
  step();
  EXPECT_EQ(engine_->observer().steps().since(0).front().num_prefill_tokens, 512);
}

TEST_F(TargetTest, AnOpenTargetIsChosenByMeasurement) {
  config_.target_itl_ns = EngineConfig::kMeasuredTarget;
  make_engine();
  EXPECT_EQ(engine_->config().target_itl_ns, 50 * kMs);  // a fast machine: what a reader notices
  model_config_.fixed_ns = 100 * kMs;
  make_engine();
  EXPECT_GE(engine_->config().target_itl_ns, 300 * kMs);  // a slow one: three of its decode steps
  EXPECT_LE(engine_->config().target_itl_ns, 310 * kMs);
}

TEST(StepTargets, LeavesRoomForWhatAStepTakesBesides) {
  const CostModel cost_model;
  StepTargets targets(cost_model, 50 * kMs);
  EXPECT_EQ(targets.limits().max_with_decode, 50 * kMs);
  for (int i = 0; i < 200; ++i) targets.observe(14 * kMs, 10 * kMs);
  EXPECT_NEAR(double(targets.limits().max_with_decode), 46e6, 1e5);
  EXPECT_EQ(targets.limits().max_without, 200 * kMs);
}

}  // namespace
}  // namespace twostroke

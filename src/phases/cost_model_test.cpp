// CostModel: learns made-up machines from mixed steps, keeps its terms positive, reports its own
// error honestly.
#include "phases/cost_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace twostroke {
namespace {

struct Machine {
  double fixed_ns, token_ns, context_ns, head_ns;
  double time_of(const StepShape& shape) const {
    return fixed_ns + token_ns * static_cast<double>(shape.num_tokens) +
           context_ns * static_cast<double>(shape.token_contexts) +
           head_ns * static_cast<double>(shape.num_logits);
  }
};

// A few decodes, sometimes with a chunk of a prompt, as a server sees them.
StepShape random_step(std::mt19937& random) {
  StepShape step;
  for (unsigned i = 0; i < 1 + random() % 8; ++i) {
    step += shape_of(static_cast<int>(random() % 2000), 1, true);
  }
  if (random() % 4 == 0) {
    step += shape_of(static_cast<int>(random() % 1000), static_cast<int>(1 + random() % 128),
                     random() % 2 == 0);
  }
  return step;
}

TEST(StepShape, SumsTheContextOfEveryToken) {
  EXPECT_EQ(shape_of(0, 1, true).token_contexts, 1);
  EXPECT_EQ(shape_of(0, 4, false).token_contexts, 1 + 2 + 3 + 4);
  EXPECT_EQ(shape_of(10, 3, false).token_contexts, 11 + 12 + 13);
  EXPECT_EQ(shape_of(10, 3, false).num_logits, 0);
}

TEST(CostModel, LearnsAMachineFromMixedSteps) {
  const Machine machine{4e6, 2e5, 30, 5e5};
  std::mt19937 random(1);
  CostModel model;
  for (int i = 0; i < 2000; ++i) {
    const StepShape step = random_step(random);
    model.observe(step, std::llround(machine.time_of(step)));
  }
  for (int i = 0; i < 200; ++i) {
    const StepShape step = random_step(random);
    const double truth = machine.time_of(step);
    EXPECT_NEAR(model.predict_ns(step), truth, 0.03 * truth);
  }
  EXPECT_LT(model.recent_error().median, 0.02);
  EXPECT_LT(model.recent_error().p95, 0.05);
}

TEST(CostModel, FollowsAMachineThatGetsSlower) {
  const Machine machine{4e6, 2e5, 30, 5e5};
  std::mt19937 random(2);
  CostModel model;
  for (int i = 0; i < 3000; ++i) {
    const StepShape step = random_step(random);
    model.observe(step, std::llround(machine.time_of(step) * (i < 1000 ? 1 : 3)));
  }
  const StepShape step = shape_of(500, 1, true);
  EXPECT_NEAR(model.predict_ns(step), 3 * machine.time_of(step), 0.15 * machine.time_of(step));
}

TEST(CostModel, StaysPositiveAndReportsItsErrorUnderNoise) {
  const Machine machine{1e6, 1e5, 0, 0};  // two terms cost nothing: noise would make them negative
  std::mt19937 random(3);
  std::normal_distribution<double> noise(1.0, 0.1);
  CostModel model;
  for (int i = 0; i < 1000; ++i) {
    const StepShape step = random_step(random);
    model.observe(step, std::llround(machine.time_of(step) * std::max(0.5, noise(random))));
    for (const double coefficient : model.coefficients_ns()) ASSERT_GE(coefficient, 0);
  }
  // |N(0, 0.1)|: median 0.067, p95 0.196.
  EXPECT_NEAR(model.recent_error().median, 0.067, 0.03);
  EXPECT_NEAR(model.recent_error().p95, 0.196, 0.08);
  EXPECT_EQ(model.recent_error().num_steps, 256);
}

TEST(CostModel, IsDefinedBeforeAndAfterItsFirstStep) {
  CostModel model;
  EXPECT_GT(model.predict_ns(shape_of(0, 1, true)), 0);
  EXPECT_EQ(model.recent_error().num_steps, 0);
  const StepShape step = shape_of(0, 10, true);
  model.observe(step, 5'000'000);
  EXPECT_NEAR(model.predict_ns(step), 5e6, 5e4);
  model.observe(step, 0);  // a clock that did not move teaches nothing
  EXPECT_EQ(model.num_observed(), 1);
}

}  // namespace
}  // namespace twostroke

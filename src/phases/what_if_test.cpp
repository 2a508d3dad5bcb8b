// Predictions against a machine that is exactly as its cost model says: a request of any size takes
// what the walk through its steps takes. Then the anchor: a machine that is slower than its model
// by a factor is predicted as it was measured.
#include "phases/what_if.h"

#include <gtest/gtest.h>

#include <random>

namespace twostroke {
namespace {

constexpr StepLimits kLimits = {.max_step_tokens = 128, .max_prefill_tokens_with_decode = 64};

double true_ns(const StepShape& step) {
  return 4e6 + 1e5 * double(step.num_tokens) + 20 * double(step.token_contexts) +
         5e5 * double(step.num_logits);
}

CostModel learnt_model() {
  CostModel model;
  for (int i = 1; i < 6000; ++i) {
    const StepShape step{.num_tokens = 1 + i * 37 % 128,
                         .token_contexts = i * 5300 % 200'000,
                         .num_logits = i * 29 % 7};
    model.observe(step, static_cast<int64_t>(true_ns(step)));
  }
  return model;
}

// The same walk, written down once more the slow way.
struct Truth {
  double ttft_ns = 0, tpot_ns = 0;
};
Truth run(const RequestSize& size) {
  Truth truth;
  const int chunk = size.batch > 1 ? 64 : 128;
  for (int at = size.cached_tokens; at < size.prompt_tokens; at += chunk) {
    const int end = std::min(size.prompt_tokens, at + chunk);
    StepShape step = shape_of(at, end - at, end == size.prompt_tokens);
    for (int i = 1; i < size.batch; ++i) step += shape_of(size.prompt_tokens, 1, true);
    truth.ttft_ns += true_ns(step);
  }
  for (int i = 1; i < size.output_tokens; ++i) {
    StepShape step;
    for (int k = 0; k < size.batch; ++k) step += shape_of(size.prompt_tokens + i - 1, 1, true);
    truth.tpot_ns += true_ns(step) / (size.output_tokens - 1);
  }
  return truth;
}

RequestSize random_size(std::mt19937& random) {
  const auto up_to = [&](int max) { return std::uniform_int_distribution<int>(0, max)(random); };
  RequestSize size;
  size.prompt_tokens = 1 + up_to(900);
  size.cached_tokens = up_to(size.prompt_tokens - 1);
  size.output_tokens = 1 + up_to(60);
  size.batch = 1 + up_to(7);
  return size;
}

TEST(WhatIf, PredictsAMachineThatIsAsItsModelSays) {
  const CostModel model = learnt_model();
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    const RequestSize size = random_size(random);
    const Truth truth = run(size);
    const Prediction prediction = predict_request(model, size, kLimits, {});
    EXPECT_NEAR(prediction.ttft.ns, truth.ttft_ns, 0.03 * truth.ttft_ns);
    EXPECT_NEAR(prediction.tpot.ns, truth.tpot_ns, 0.03 * truth.tpot_ns);
    EXPECT_LE(prediction.ttft.low_ns, prediction.ttft.ns);
    EXPECT_GE(prediction.ttft.high_ns, prediction.ttft.ns);
    EXPECT_EQ(prediction.tpot.ns == 0, size.output_tokens == 1);
  }
}

TEST(WhatIf, IsAnchoredOnWhatTheRequestMeasured) {
  const CostModel model = learnt_model();
  const RequestSize measured = {.prompt_tokens = 300, .cached_tokens = 0, .output_tokens = 21};
  const Truth truth = run(measured);
  // Half as fast as the model says, 7 ms of intake, 30 ms in the queue, 1 ms around each token.
  Ledger ledger(0);
  RequestIntervals intervals;
  const auto book = [&](double ns, Cause cause) {
    ledger.book_until(ledger.booked_until_ns() + static_cast<int64_t>(ns), cause);
  };
  book(7e6, Cause::kTokenize);
  book(30e6, Cause::kWaitTurn);
  book(2 * truth.ttft_ns, Cause::kPrefillOwn);
  intervals.ttft_ns = ledger.booked_until_ns();
  book(2 * truth.tpot_ns * 20, Cause::kDecodeOwn);
  book(20e6, Cause::kSample);
  intervals.decode_ns = ledger.booked_until_ns() - intervals.ttft_ns;
  const RequestAnchor anchor = anchor_of(model, measured, kLimits, ledger, intervals);
  EXPECT_NEAR(anchor.prefill_scale, 2, 0.06);
  EXPECT_NEAR(anchor.decode_scale, 2, 0.06);
  EXPECT_NEAR(double(anchor.ttft_overhead_ns), 7e6, 10);
  EXPECT_NEAR(double(anchor.token_overhead_ns), 1e6, 10);
  const RequestSize shorter = {.prompt_tokens = 100, .cached_tokens = 0, .output_tokens = 11};
  const Prediction prediction = predict_request(model, shorter, kLimits, anchor);
  EXPECT_NEAR(prediction.ttft.ns, 2 * run(shorter).ttft_ns + 7e6, 0.05 * prediction.ttft.ns);
  EXPECT_NEAR(prediction.tpot.ns, 2 * run(shorter).tpot_ns + 1e6, 0.05 * prediction.tpot.ns);
}

TEST(WhatIf, AModelWithoutARecordHasWideBars) {
  const Prediction prediction = predict_request(
      CostModel(), {.prompt_tokens = 10, .cached_tokens = 0, .output_tokens = 5}, kLimits, {});
  EXPECT_GE(prediction.ttft.high_ns, 1.4 * prediction.ttft.ns);
  EXPECT_LE(prediction.ttft.low_ns, 0.6 * prediction.ttft.ns);
}

}  // namespace
}  // namespace twostroke

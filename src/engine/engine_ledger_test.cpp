// The ledgers of requests on a made-up machine: 1 ms a step and 0.05 ms a token, on a clock that
// nothing else moves. So every cause can be computed by hand. That the causes sum to the request's
// life is checked for every answer by answer_of() (law 2).
#include <gtest/gtest.h>

#include "testing/engine_fixture.h"

namespace twostroke {
namespace {

constexpr int64_t kStepNs = 1'000'000;
constexpr int64_t kTokenNs = 50'000;

class EngineLedgerTest : public EngineFixture {
 protected:
  static int64_t sum_of(const Ledger& ledger, std::initializer_list<Cause> causes) {
    int64_t sum = 0;
    for (const Cause cause : causes) sum += ledger.of(cause);
    return sum;
  }
};

TEST_F(EngineLedgerTest, AloneEverythingIsIntakeAndItsOwn) {
  make_engine();
  const Answer answer = run_alone(input_of(prompt_of(10), 4));
  const Ledger& ledger = answer.summary.ledger;
  EXPECT_EQ(ledger.of(Cause::kParse), 11);
  EXPECT_EQ(ledger.of(Cause::kTemplate), 13);
  EXPECT_EQ(ledger.of(Cause::kTokenize), 17);
  EXPECT_EQ(ledger.of(Cause::kEngine), 19);  // until it was queued
  EXPECT_EQ(ledger.of(Cause::kPrefillOwn), kStepNs + 10 * kTokenNs);
  EXPECT_EQ(ledger.of(Cause::kDecodeOwn), 3 * (kStepNs + kTokenNs));
  EXPECT_EQ(ledger.total_ns(), 60 + 4 * kStepNs + 13 * kTokenNs);
  const RequestIntervals intervals = intervals_of(answer.summary.events, 4);
  EXPECT_EQ(intervals.intake_ns, 60);
  EXPECT_EQ(intervals.queue_ns, 0);
  EXPECT_EQ(intervals.prefill_ns, kStepNs + 10 * kTokenNs);
  EXPECT_EQ(intervals.decode_ns, 3 * (kStepNs + kTokenNs));
  EXPECT_EQ(intervals.ttft_ns, 60 + kStepNs + 10 * kTokenNs);
  EXPECT_DOUBLE_EQ(intervals.tpot_ns, kStepNs + kTokenNs);
}

TEST_F(EngineLedgerTest, IntakeThatWasNotMeasuredIsBookedAllTheSame) {
  make_engine();
  RequestInput input = input_of(prompt_of(10), 1);
  input.parsed_ns = input.templated_ns = 0;
  EXPECT_EQ(run_alone(std::move(input)).summary.ledger.of(Cause::kTokenize), 11 + 13 + 17);
  input = input_of(prompt_of(10), 1);
  input.received_ns = input.parsed_ns = input.templated_ns = input.tokenized_ns = 0;
  const Answer answer = run_alone(std::move(input));
  EXPECT_EQ(answer.summary.events.received_ns, answer.summary.events.queued_ns);
}

TEST_F(EngineLedgerTest, TimeFromTheFutureIsNotBooked) {
  make_engine();
  RequestInput input = input_of(prompt_of(10), 1);
  input.tokenized_ns = clock_.now_ns() + 1'000'000'000'000;
  EXPECT_EQ(run_alone(std::move(input)).summary.ledger.of(Cause::kTokenize), 17 + 19);
}

TEST_F(EngineLedgerTest, DecodesInOneStepSlowEachOtherOnly) {
  make_engine();
  const Client a = submit(input_of(prompt_of(4), 6));
  const Client b = submit(input_of(prompt_of(4, 2), 6));
  run_until_idle();
  for (const Client& client : {a, b}) {
    const Ledger ledger = answer_of(client).summary.ledger;
    EXPECT_EQ(sum_of(ledger, {Cause::kDecodeOwn, Cause::kDecodeBatch}),
              5 * (kStepNs + 2 * kTokenNs));
    EXPECT_GT(ledger.of(Cause::kDecodeBatch), 0);
    EXPECT_EQ(ledger.of(Cause::kDecodePrefill), 0);
    EXPECT_GT(ledger.of(Cause::kPrefillOthers), 0);
  }
}

TEST_F(EngineLedgerTest, APromptInADecodeStepIsInterference) {
  make_engine();
  const Client reader = submit(input_of(prompt_of(4), 6));
  step(2);
  const Client intruder = submit(input_of(prompt_of(28, 5), 1));
  run_until_idle();
  const Ledger ledger = answer_of(reader).summary.ledger;
  EXPECT_GT(ledger.of(Cause::kDecodePrefill), 0);
  EXPECT_EQ(ledger.of(Cause::kDecodeBatch), 0);
  EXPECT_EQ(sum_of(ledger, {Cause::kDecodeOwn, Cause::kDecodePrefill}),
            5 * (kStepNs + kTokenNs) + 28 * kTokenNs);
  answer_of(intruder);
}

TEST_F(EngineLedgerTest, WaitingHasItsReason) {
  config_.max_running = 1;
  make_engine();
  const Client first = submit(input_of(prompt_of(4), 6));
  const Client second = submit(input_of(prompt_of(4), 2));
  run_until_idle();
  answer_of(first);
  const Answer waited = answer_of(second);
  EXPECT_EQ(waited.summary.ledger.of(Cause::kWaitBatch), 6 * kStepNs + 9 * kTokenNs);
  EXPECT_EQ(waited.summary.ledger.of(Cause::kWaitBatch),
            intervals_of(waited.summary.events, 2).queue_ns);
}

TEST_F(EngineLedgerTest, WaitingForKvAndForItsTurn) {
  model_config_.num_blocks = 8;  // 32 tokens
  make_engine();
  const Client first = submit(input_of(prompt_of(20), 3));
  const Client second = submit(input_of(prompt_of(20, 3), 1));
  run_until_idle();
  answer_of(first);
  EXPECT_EQ(answer_of(second).summary.ledger.of(Cause::kWaitKv), 3 * kStepNs + 22 * kTokenNs);

  model_config_.num_blocks = 64;
  make_engine();
  const Client longer = submit(input_of(prompt_of(40), 1));
  const Client last = submit(input_of(prompt_of(4, 3), 1));
  run_until_idle();
  answer_of(longer);
  // 32 of the 40 tokens fill the first step.
  EXPECT_EQ(answer_of(last).summary.ledger.of(Cause::kWaitTurn), kStepNs + 32 * kTokenNs);
}

TEST_F(EngineLedgerTest, FromEvictionUntilCaughtUpIsPreempted) {
  model_config_.num_blocks = 6;  // 24 tokens
  make_engine();
  const Client oldest = submit(input_of(prompt_of(8), 10));
  const Client newest = submit(input_of(prompt_of(8, 3), 10));
  run_until_idle();
  EXPECT_EQ(answer_of(oldest).summary.ledger.of(Cause::kPreempted), 0);
  const Answer evicted = answer_of(newest);
  EXPECT_EQ(evicted.summary.num_preemptions, 1);
  EXPECT_GT(evicted.summary.ledger.of(Cause::kPreempted), 0);
  EXPECT_EQ(evicted.summary.ledger.of(Cause::kWaitKv), 0);
}

}  // namespace
}  // namespace twostroke

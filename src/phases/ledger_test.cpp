// Ledger: whatever is booked in whatever order, the causes sum to the time covered (law 2).
#include "phases/ledger.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

namespace twostroke {
namespace {

int64_t sum_of(const Ledger& ledger) {
  return std::accumulate(ledger.causes_ns().begin(), ledger.causes_ns().end(), int64_t{0});
}

TEST(Ledger, BooksEachTimeOnceUnderOneCause) {
  Ledger ledger(1000);
  ledger.book_until(1500, Cause::kParse);
  ledger.book_until(1400, Cause::kTemplate);  // already booked
  ledger.book_until(1700, Cause::kWaitTurn);
  EXPECT_EQ(ledger.of(Cause::kParse), 500);
  EXPECT_EQ(ledger.of(Cause::kTemplate), 0);
  EXPECT_EQ(ledger.of(Cause::kWaitTurn), 200);
  EXPECT_EQ(ledger.total_ns(), 700);
}

TEST(Ledger, MovesNoMoreThanThereIs) {
  Ledger ledger(0);
  ledger.book_until(100, Cause::kDecodeOwn);
  ledger.move(Cause::kDecodeOwn, Cause::kDecodeBatch, 30);
  ledger.move(Cause::kDecodeOwn, Cause::kDecodePrefill, 900);
  EXPECT_EQ(ledger.of(Cause::kDecodeOwn), 0);
  EXPECT_EQ(ledger.of(Cause::kDecodeBatch), 30);
  EXPECT_EQ(ledger.of(Cause::kDecodePrefill), 70);
  EXPECT_EQ(sum_of(ledger), 100);
}

TEST(Ledger, SumsExactlyOnRandomWalks) {
  std::mt19937_64 random(3);
  for (int walk = 0; walk < 200; ++walk) {
    const auto received = static_cast<int64_t>(random() % 1'000'000);
    Ledger ledger(received);
    int64_t latest = received;
    for (int i = 0; i < 50; ++i) {
      const auto until = static_cast<int64_t>(random() % 100'000'000);
      const auto cause = static_cast<Cause>(random() % kNumCauses);
      ledger.book_until(until, cause);
      latest = std::max(latest, until);
      ledger.move(static_cast<Cause>(random() % kNumCauses), cause,
                  static_cast<int64_t>(random() % 10'000'000));
      ASSERT_EQ(ledger.total_ns(), latest - received);
      ASSERT_EQ(sum_of(ledger), ledger.total_ns());
      for (const int64_t ns : ledger.causes_ns()) ASSERT_GE(ns, 0);
    }
  }
}

TEST(Cause, HasADifferentNameEach) {
  std::set<std::string_view> names;
  for (int i = 0; i < kNumCauses; ++i) names.insert(cause_name(static_cast<Cause>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kNumCauses));
  EXPECT_EQ(cause_name(Cause::kParse), "parse");
  EXPECT_EQ(cause_name(Cause::kWaitTurn), "wait_turn");
  EXPECT_EQ(cause_name(Cause::kPreempted), "preempted");
  EXPECT_EQ(cause_name(Cause::kClient), "client");
}

TEST(Intervals, FollowTheEvents) {
  const RequestEvents events{.received_ns = 0,
                             .tokenized_ns = 5,
                             .queued_ns = 10,
                             .scheduled_ns = 30,
                             .first_token_ns = 100,
                             .last_token_ns = 500,
                             .finished_ns = 520};
  const RequestIntervals intervals = intervals_of(events, 5);
  EXPECT_EQ(intervals.intake_ns, 10);
  EXPECT_EQ(intervals.queue_ns, 20);
  EXPECT_EQ(intervals.prefill_ns, 70);
  EXPECT_EQ(intervals.decode_ns, 400);
  EXPECT_EQ(intervals.delivery_ns, 20);
  EXPECT_EQ(intervals.ttft_ns, 100);
  EXPECT_DOUBLE_EQ(intervals.tpot_ns, 100.0);
}

TEST(Intervals, AreZeroWhereEventsDidNotHappen) {
  RequestEvents events;
  events.received_ns = 0;
  events.queued_ns = 10;
  events.finished_ns = 50;  // cancelled in the queue
  const RequestIntervals intervals = intervals_of(events, 0);
  EXPECT_EQ(intervals.queue_ns, 0);
  EXPECT_EQ(intervals.ttft_ns, 0);
  EXPECT_EQ(intervals.delivery_ns, 0);
  EXPECT_EQ(intervals_of({.first_token_ns = 1, .last_token_ns = 1}, 1).tpot_ns, 0);
}

}  // namespace
}  // namespace twostroke

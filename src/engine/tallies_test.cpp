// Goal: histograms put values where they belong, and a request is counted once, however it ends and
// whoever finds that out.
#include "engine/tallies.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

namespace twostroke {
namespace {

int64_t total(const Histogram& histogram) {
  const std::vector<int64_t> counts = histogram.snapshot().counts;
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

TEST(Histogram, AValueBelongsToTheFirstBoundThatIsNotBelowIt) {
  constexpr std::array<int64_t, 3> kBounds = {1, 10, 100};
  Histogram histogram(kBounds);
  for (const int64_t value : {-5, 0, 1, 2, 10, 11, 100, 101, 100000}) histogram.add(value);
  const Histogram::Snapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts, (std::vector<int64_t>{3, 2, 2, 2}));
  EXPECT_EQ(snapshot.sum, 0 + 0 + 1 + 2 + 10 + 11 + 100 + 101 + 100000);
}

TEST(Tallies, ARequestIsCountedOnceThoughManyFindItOver) {
  const auto tallies = std::make_shared<Tallies>();
  for (int i = 0; i < 200; ++i) {
    RequestRecord record({.id = 1, .reply_id = "a", .num_prompt_tokens = 1, .max_tokens = 1});
    record.count_into(tallies);
    RequestProgress progress = record.progress();
    progress.phase = RequestPhase::kDelivering;
    progress.finish_reason = FinishReason::kLength;
    std::thread gives_up([&] {
      record.set_end(RequestEnd::kDisconnect);
      record.count_if_over();
    });
    record.publish(progress);
    gives_up.join();
  }
  EXPECT_EQ(total(tallies->life_ns), 200);
  EXPECT_EQ(tallies->ends[static_cast<size_t>(RequestEnd::kDisconnect)], 200);
}

TEST(Tallies, OnlyIntervalsThatHappenedAreCounted) {
  Tallies tallies;
  RequestProgress progress;
  progress.events = {.received_ns = 1, .queued_ns = 5};
  progress.end = RequestEnd::kCancelled;
  tallies.add_request({}, progress);
  EXPECT_EQ(total(tallies.intake_ns), 1);
  EXPECT_EQ(total(tallies.queue_ns), 0);
  EXPECT_EQ(total(tallies.ttft_ns), 0);
  EXPECT_EQ(total(tallies.tpot_ns), 0);
  EXPECT_EQ(total(tallies.life_ns), 1);
}

TEST(Tallies, PartsOfStepsSumToTheSteps) {
  Tallies tallies;
  tallies.add_step({.start_ns = 10,
                    .forward_start_ns = 11,
                    .forward_end_ns = 31,
                    .sample_end_ns = 34,
                    .end_ns = 40,
                    .num_prefill_tokens = 3,
                    .num_decode_tokens = 2});
  int64_t sum = 0;
  for (const auto& part : tallies.parts_ns) sum += part;
  EXPECT_EQ(sum, 30);
  EXPECT_EQ(tallies.step_tokens.snapshot().sum, 5);
}

}  // namespace
}  // namespace twostroke

// Who is blamed: exact sums, the right order, and what happens when there are more culprits than
// room.
#include "phases/blame.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace twostroke {
namespace {

int64_t named_ns(const BlameSummary& summary) {
  int64_t sum = 0;
  for (const Blame& blame : summary.top) sum += blame.ns;
  return sum;
}

TEST(BlameTable, NamesTheThreeThatCostMostAndSumsTheRest) {
  BlameTable table;
  table.add(1, StepPhase::kPrefill, 10);
  table.add(2, StepPhase::kDecode, 40);
  table.add(3, StepPhase::kDecode, 20);
  table.add(1, StepPhase::kDecode, 5);
  table.add(1, StepPhase::kPrefill, 15);
  table.add_rest(3);
  const BlameSummary summary = table.summary();
  EXPECT_EQ(summary.top[0].request, 2U);
  EXPECT_EQ(summary.top[1].request, 1U);
  EXPECT_EQ(summary.top[1].ns, 25);
  EXPECT_EQ(summary.top[1].phase, StepPhase::kPrefill);
  EXPECT_EQ(summary.top[2].request, 3U);
  EXPECT_EQ(summary.rest_ns, 8);
  EXPECT_EQ(summary.total_ns, 93);
}

TEST(BlameTable, EmptyIsEmpty) {
  const BlameSummary summary = BlameTable().summary();
  EXPECT_EQ(summary.top[0].ns, 0);
  EXPECT_EQ(summary.rest_ns, 0);
}

TEST(BlameTable, TheDearestSurviveACrowd) {
  BlameTable table;
  int64_t total = 0;
  for (int round = 0; round < 50; ++round) {
    for (RequestId id = 1; id <= 40; ++id) {
      const int64_t ns = id == 7 ? 1000 : id == 9 ? 500 : 1;
      table.add(id, StepPhase::kDecode, ns);
      total += ns;
    }
  }
  const BlameSummary summary = table.summary();
  EXPECT_EQ(summary.top[0].request, 7U);
  EXPECT_EQ(summary.top[0].ns, 50'000);
  EXPECT_EQ(summary.top[1].request, 9U);
  EXPECT_EQ(summary.total_ns, total);
  EXPECT_EQ(named_ns(summary) + summary.rest_ns, total);
}

TEST(StepBlame, SharesAreInProportionAndOfTheirPhase) {
  StepBlame step(4);
  step.add({1, StepPhase::kDecode, 1.0});
  step.add({2, StepPhase::kDecode, 3.0});
  step.add({3, StepPhase::kPrefill, 90.0});
  step.add({4, StepPhase::kRecompute, 10.0});
  step.rank();
  BlameTable table;
  step.blame(1, 300, 1000, table);
  const BlameSummary summary = table.summary();
  EXPECT_EQ(summary.top[0].request, 3U);
  EXPECT_EQ(summary.top[0].ns, 900);
  EXPECT_EQ(summary.top[1].request, 2U);  // alone among the other decodes
  EXPECT_EQ(summary.top[1].ns, 300);
  EXPECT_EQ(summary.top[2].phase, StepPhase::kRecompute);
  EXPECT_EQ(summary.top[2].ns, 100);
  EXPECT_EQ(summary.rest_ns, 0);
}

TEST(StepBlame, NobodyElseMeansTheRest) {
  StepBlame step(1);
  step.add({1, StepPhase::kDecode, 1.0});
  step.rank();
  BlameTable table;
  step.blame(1, 7, 0, table);
  EXPECT_EQ(table.summary().rest_ns, 7);
}

TEST(StepBlame, NothingIsLostOnRandomSteps) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    const int size = 1 + static_cast<int>(random() % 40);
    StepBlame step(size);
    for (int i = 0; i < size; ++i) {
      step.add({static_cast<RequestId>(i + 1), static_cast<StepPhase>(random() % 3),
                static_cast<double>(random() % 1000) / 7.0});
    }
    step.rank();
    BlameTable table;
    const auto decode_ns = static_cast<int64_t>(random() % 1'000'000'007);
    const auto prefill_ns = static_cast<int64_t>(random() % 5);
    const RequestId self = 1 + random() % static_cast<uint64_t>(size + 1);
    step.blame(self, decode_ns, prefill_ns, table);
    step.blame_wait(self, 11, table);
    const BlameSummary summary = table.summary();
    ASSERT_EQ(summary.total_ns, decode_ns + prefill_ns + 11);
    ASSERT_EQ(named_ns(summary) + summary.rest_ns, summary.total_ns);
    ASSERT_GE(summary.rest_ns, 0);
    for (const Blame& blame : summary.top) ASSERT_TRUE(blame.ns == 0 || blame.request != self);
  }
}

}  // namespace
}  // namespace twostroke

// What is said of synthetic servers whose truth is known: lines, caches, slots, and that what
// cannot be known is said.
#include "measure/outside/outside_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace twostroke {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// fixed 12 ms, 0.25 ms a prompt token, 8 ms an output token, 3 % noise.
ProbeData probes(uint64_t seed, double cache_factor, int slots) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(1, 0.03);
  ProbeData data;
  data.url = "http://x";
  data.model = "m";
  data.round_trip_ms = {0.4, 0.5, 0.6};
  for (int round = 0; round < 4; ++round) {
    data.prompts.emplace_back();
    for (const int64_t n : {32, 64, 128, 256, 512}) {
      data.prompts.back().push_back(
          {.prompt_tokens = n, .ttft_ms = (12 + 0.25 * static_cast<double>(n)) * noise(random)});
    }
    data.outputs.emplace_back();
    for (const int64_t n : {8, 16, 32, 64}) {
      data.outputs.back().push_back({.output_tokens = n,
                                     .chunks = n,
                                     .decode_ms = 8 * static_cast<double>(n - 1) * noise(random)});
    }
    const double first = 100 * noise(random);
    data.cache.push_back(
        {.prompt_tokens = 400, .first_ms = first, .again_ms = 100 * cache_factor * noise(random)});
    data.bursts.emplace_back();
    for (const int c : {1, 2, 4, 8}) {
      Burst burst;
      burst.concurrency = c;
      for (int i = 0; i < c; ++i) {
        const double wait = 200.0 * (i / slots);
        burst.ttft_ms.push_back(wait + 50 * noise(random));
        burst.tpot_ms.push_back(10 * noise(random));
        burst.e2el_ms.push_back(burst.ttft_ms.back() + 150);
      }
      burst.output_tokens_per_s = 80.0 * std::min(c, slots);
      data.bursts.back().push_back(std::move(burst));
    }
  }
  return data;
}

bool says(const OutsideReport& report, const std::string& what) {
  for (const auto& finding : report.findings) {
    if (finding.text.find(what) != std::string::npos) return true;
  }
  return false;
}

TEST(FitRounds, FindsTheLine) {
  const auto line = fit_rounds({{{10, 25}, {20, 45}, {40, 85}}}).value();
  EXPECT_NEAR(line.fixed.value, 5, 1e-9);
  EXPECT_NEAR(line.slope.value, 2, 1e-9);
  EXPECT_NEAR(line.bend, 1, 1e-9);
  EXPECT_FALSE(line.slope.interval.has_value());
  EXPECT_FALSE(fit_rounds({}).has_value());
  EXPECT_FALSE(fit_rounds({{{10, 25}}}).has_value());
  EXPECT_FALSE(fit_rounds({{{10, 25}, {10, 26}}}).has_value());
  EXPECT_FALSE(fit_rounds({{{10, 25}, {20, 1.0 / 0.0}}}).has_value());
  EXPECT_NEAR(fit_rounds({{{10, 10}, {20, 20}, {30, 60}}})->bend, 4, 1e-9);
}

TEST(FitRounds, IntervalsCoverTheTruth) {
  int covered = 0;
  constexpr int kTrials = 500;
  for (uint64_t seed = 0; seed < kTrials; ++seed) {
    const OutsideReport report = outside_report(probes(seed, 1, 8));
    covered += report.prefill->slope.interval->contains(0.25) ? 1 : 0;
  }
  EXPECT_GT(covered, kTrials * 92 / 100);
}

TEST(OutsideReports, SayWhatTheNumbersSay) {
  const OutsideReport report = outside_report(probes(1, 0.2, 8));
  EXPECT_NEAR(report.prefill->slope.value, 0.25, 0.02);
  EXPECT_NEAR(report.decode->slope.value, 8, 0.3);
  EXPECT_EQ(report.cache, CacheAnswer::kReuses);
  EXPECT_EQ(report.slots, 0);
  EXPECT_TRUE(says(report, "It reuses prompts: the same prompt again saves 80 %") ||
              says(report, "It reuses prompts: the same prompt again saves 79 %") ||
              says(report, "It reuses prompts: the same prompt again saves 81 %"));
  EXPECT_TRUE(says(report, "8 at once: 8.0 times the tokens per second"));
  EXPECT_FALSE(says(report, "tokens at a time"));
  const std::string text = outside_text(report);
  EXPECT_THAT(text, HasSubstr("What cannot be known from outside"));
  EXPECT_THAT(text, HasSubstr("how TTFT divides"));
  EXPECT_EQ(outside_json(report)["prefix_cache"]["answer"], "reuses");
}

TEST(OutsideReports, SlotsAndMissingCachesAreFound) {
  const OutsideReport report = outside_report(probes(2, 1, 2));
  EXPECT_EQ(report.cache, CacheAnswer::kDoesNot);
  EXPECT_EQ(report.slots, 2);
  EXPECT_TRUE(says(report, "It serves about 2 at once"));
}

TEST(OutsideReports, UseWhatTheServerTells) {
  ProbeData data = probes(3, 0.2, 8);
  for (auto& round : data.prompts) {
    for (PromptPoint& point : round) point.told_prefill_ms = point.ttft_ms - 7;
  }
  for (CachePair& pair : data.cache) pair.again_cached_tokens = 384;
  for (auto& round : data.outputs) {
    for (OutputPoint& point : round) point.chunks = point.output_tokens / 4;
  }
  const OutsideReport report = outside_report(data);
  EXPECT_NEAR(report.overhead_ms->value, 7, 1e-9);
  EXPECT_NEAR(*report.cached_share, 0.96, 1e-9);
  EXPECT_TRUE(says(report, "It says that 96 % of the tokens came from its cache"));
  EXPECT_TRUE(says(report, "It sends 4.0 tokens at a time"));
  EXPECT_THAT(outside_text(report), Not(HasSubstr("how TTFT divides")));
}

TEST(OutsideReports, WithoutAnyDataSayOnlyWhatIsUnknown) {
  ProbeData data;
  data.problems = {"nothing answered"};
  const OutsideReport report = outside_report(data);
  EXPECT_TRUE(report.findings.empty());
  EXPECT_GE(report.unknown.size(), 4u);
  EXPECT_THAT(outside_text(report), HasSubstr("problem: nothing answered"));
  EXPECT_TRUE(outside_json(report)["prefill"].is_null());
}

}  // namespace
}  // namespace twostroke

// What must hold whatever the numbers: definitions at their edges, known tables, and coverage and
// error rates on synthetic data whose truth is known. Seeds are fixed; rates are held against exact
// binomial bounds of the number of trials.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "measure/statistics/bootstrap.h"
#include "measure/statistics/distributions.h"
#include "measure/statistics/paired.h"
#include "measure/statistics/power.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// How likely a count this far above `rate` is; a proven rate makes tiny values impossible.
void expect_rate_at_most(int hits, int trials, double rate) {
  EXPECT_GT(1 - binomial_cdf(hits - 1, trials, rate), 1e-4)
      << hits << " of " << trials << " against a rate of " << rate;
}
void expect_rate_at_least(int hits, int trials, double rate) {
  EXPECT_GT(binomial_cdf(hits, trials, rate), 1e-4)
      << hits << " of " << trials << " against a rate of " << rate;
}

std::vector<double> normal_values(std::mt19937_64& random, size_t count, double mean, double sd) {
  std::normal_distribution<double> normal(mean, sd);
  std::vector<double> values(count);
  for (double& value : values) value = normal(random);
  return values;
}

TEST(Quantiles, AFailureIsInfinitelySlowAndNeverNaN) {
  const std::vector<double> values = {1, 2, kInfinity, kInfinity};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 0.25), 1.75);
  EXPECT_EQ(quantile(values, 1.0 / 3), 2);
  EXPECT_EQ(quantile(values, 0.5), kInfinity);
  EXPECT_EQ(quantile(values, 0.9), kInfinity);
  EXPECT_EQ(quantile(std::vector<double>{7}, 0.99), 7);
}

TEST(Quantiles, NeedTheKnownNumberOfSamplesForAnInterval) {
  EXPECT_EQ(least_samples_for_interval(0.9), 29);
  EXPECT_EQ(least_samples_for_interval(0.95), 59);
  EXPECT_EQ(least_samples_for_interval(0.99), 299);
  EXPECT_EQ(least_samples_for_interval(0.999), 2995);
  EXPECT_EQ(least_samples_for_interval(0.5), 6);
  for (const double q : {0.5, 0.9, 0.95, 0.99}) {
    std::vector<double> values(static_cast<size_t>(least_samples_for_interval(q)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
    EXPECT_TRUE(quantile_interval(values, q).has_value()) << q;
    values.pop_back();
    EXPECT_FALSE(quantile_interval(values, q).has_value()) << q;
  }
}

TEST(Quantiles, IntervalsCoverTheTrueQuantile) {
  std::mt19937_64 random(3);
  for (const double q : {0.5, 0.9, 0.95}) {
    const double truth = -std::log(1 - q);
    int covered = 0;
    for (int trial = 0; trial < 2000; ++trial) {
      std::vector<double> values(80);
      for (double& value : values) value = std::exponential_distribution<double>(1)(random);
      std::ranges::sort(values);
      covered += quantile_interval(values, q)->contains(truth) ? 1 : 0;
    }
    expect_rate_at_least(covered, 2000, 0.95);
  }
}

TEST(SignFlip, CountsEveryPatternWhenBlocksAreFew) {
  // All six agree: only the two extreme patterns of 64 are as far.
  const SignFlipTest test = sign_flip_test(std::vector<double>{1, 2, 3, 4, 5, 6}, 0);
  EXPECT_TRUE(test.exact);
  EXPECT_EQ(test.num_flips, 64);
  EXPECT_EQ(test.p_value, 2.0 / 64);
  EXPECT_EQ(test.p_value, least_sign_flip_p(6));
  EXPECT_EQ(sign_flip_test(std::vector<double>{0, 0, 0}, 0).p_value, 1);
  EXPECT_EQ(sign_flip_test(std::vector<double>{5}, 0).p_value, 1);
  // Ties by rounding: 0.1 + 0.2 - 0.3 is not 0 in floating point.
  EXPECT_EQ(sign_flip_test(std::vector<double>{0.1, 0.2, -0.3}, 0).p_value, 1);
}

TEST(SignFlip, SampledPatternsAgreeWithAllOfThemAndDependOnTheSeedAlone) {
  std::mt19937_64 random(5);
  std::vector<double> values = normal_values(random, kMaxExactBlocks, 0.35, 1);
  const double exact = sign_flip_test(values, 0).p_value;
  for (int i = 0; i < 4; ++i) values.push_back(0);  // a zero changes no |sum|, only how it is found
  const SignFlipTest sampled = sign_flip_test(values, 9);
  EXPECT_FALSE(sampled.exact);
  const double noise = std::sqrt(exact * (1 - exact) / static_cast<double>(kSampledFlips));
  EXPECT_NEAR(sampled.p_value, exact, 5 * noise);
  EXPECT_EQ(sampled.p_value, sign_flip_test(values, 9).p_value);
  EXPECT_NE(sampled.p_value, sign_flip_test(values, 10).p_value);
  EXPECT_GT(sign_flip_test(std::vector<double>(200, 1.0), 1).p_value, 0);
}

TEST(SignFlip, RejectsATruthOfNothingInAtMostAlphaOfTheCases) {
  std::mt19937_64 random(7);
  for (const size_t blocks : {6u, 10u, 24u}) {
    int rejected = 0;
    const int trials = blocks > kMaxExactBlocks ? 300 : 2000;
    for (int trial = 0; trial < trials; ++trial) {
      // Heavy tails: what a noisy machine gives; the test needs only symmetry.
      std::vector<double> values(blocks);
      for (double& value : values) value = std::student_t_distribution<double>(2)(random);
      rejected += sign_flip_test(values, static_cast<uint64_t>(trial)).p_value <= 0.05 ? 1 : 0;
    }
    expect_rate_at_most(rejected, trials, 0.05);
  }
}

TEST(Holm, KeepsTheRateOfAnyFalseAlarmOverBothPrimaries) {
  std::mt19937_64 random(8);
  int any = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const double p_values[] = {sign_flip_test(normal_values(random, 9, 0, 1), 0).p_value,
                               sign_flip_test(normal_values(random, 9, 0, 1), 0).p_value};
    const std::vector<double> adjusted = holm_adjusted(p_values);
    any += adjusted[0] <= 0.05 || adjusted[1] <= 0.05 ? 1 : 0;
  }
  expect_rate_at_most(any, 3000, 0.05);
  EXPECT_GT(any, 60);  // and it is not so only because nothing is ever rejected
}

TEST(Power, IsThePublishedTableOfDetectableEffects) {
  // k of "MDE = k sd" for the paired t test at 5 % and 80 %.
  const std::pair<int, double> table[] = {{5, 1.68}, {6, 1.43}, {8, 1.16}, {10, 1.00},
                                          {15, .78}, {20, .66}, {30, .53}};
  for (const auto& [blocks, k] : table) {
    EXPECT_NEAR(paired_t_power(k, blocks), 0.8, 0.01) << blocks;
  }
  EXPECT_EQ(detectable_effect(5), kInfinity);  // 2 / 32 is above 5 %: five blocks cannot reject
  EXPECT_EQ(attainable_level(5, 0.05), 0);
  EXPECT_EQ(attainable_level(6, 0.05), 2.0 / 64);
  EXPECT_EQ(attainable_level(7, 0.025), 2.0 / 128);
  EXPECT_NEAR(detectable_effect(20), 0.66, 0.01);
  EXPECT_EQ(blocks_to_detect(detectable_effect(12)), 12);
  EXPECT_EQ(blocks_to_detect(1e-9), kMaxPlannedBlocks);
}

TEST(Power, IsWhatSimulationFinds) {
  std::mt19937_64 random(9);
  for (const int blocks : {7, 10, 16}) {
    for (const double alpha : {0.05, 0.025}) {
      const double effect = detectable_effect(blocks, alpha, 0.8);
      int found = 0;
      constexpr int kTrials = 1500;
      for (int trial = 0; trial < kTrials; ++trial) {
        const auto values = normal_values(random, static_cast<size_t>(blocks), effect, 1);
        found += sign_flip_test(values, 0).p_value <= alpha ? 1 : 0;
      }
      expect_rate_at_least(found, kTrials, 0.78);
      expect_rate_at_most(found, kTrials, 0.82);
    }
  }
}

TEST(Bootstrap, ExpandedPercentilesCoverWithFewBlocks) {
  std::mt19937_64 random(10);
  int covered = 0;
  constexpr int kTrials = 600;
  for (int trial = 0; trial < kTrials; ++trial) {
    const std::vector<double> values = normal_values(random, 8, 5, 2);
    const auto mean = [&](std::span<const size_t> blocks) {
      double sum = 0;
      for (const size_t block : blocks) sum += values[block];
      return sum / static_cast<double>(blocks.size());
    };
    const auto seed = static_cast<uint64_t>(trial);
    const Interval interval = block_bootstrap_interval(values.size(), mean, seed);
    covered += interval.contains(5) ? 1 : 0;
    if (trial == 0) {
      EXPECT_EQ(interval.low, block_bootstrap_interval(values.size(), mean, seed).low);
      EXPECT_NE(interval.low, block_bootstrap_interval(values.size(), mean, seed + 1).low);
    }
  }
  expect_rate_at_least(covered, kTrials, 0.93);
  expect_rate_at_most(covered, kTrials, 0.985);
}

TEST(RatioOfMeans, CoversTheTruthAndSaysWhenThereIsNoAnswer) {
  std::mt19937_64 random(11);
  int covered = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const std::vector<double> x = normal_values(random, 8, 300, 60);
    const std::vector<double> y = normal_values(random, 8, 2, 0.8);
    const RatioInterval ratio = ratio_of_means(x, y);
    covered += !ratio.bounded || ratio.interval.contains(150) ? 1 : 0;
  }
  expect_rate_at_least(covered, kTrials, 0.95);
  expect_rate_at_most(covered, kTrials, 0.965);
  const RatioInterval none =
      ratio_of_means(std::vector<double>{300, 310, 290, 305}, std::vector<double>{1, -1, 2, -1.5});
  EXPECT_FALSE(none.bounded);
}

TEST(PairedEffect, OneBlockKnowsNothing) {
  const PairedEffect effect = paired_effect(std::vector<double>{0.3});
  EXPECT_EQ(effect.mean, 0.3);
  EXPECT_EQ(effect.interval.low, -kInfinity);
  EXPECT_EQ(effect.interval.high, kInfinity);
}

}  // namespace
}  // namespace twostroke

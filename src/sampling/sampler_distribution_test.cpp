// The sampler against a slow reference that sorts everything and works in double, and its draws
// against the exact probabilities. Fixed seeds: a result either always holds or never.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "base/philox.h"
#include "sampling/row_scan.h"
#include "sampling/sampler.h"

namespace twostroke {
namespace {

// Normal enough: the sum of four uniforms, scaled.
std::vector<float> random_logits(size_t size, uint64_t seed, float spread) {
  std::vector<float> logits(size);
  for (size_t i = 0; i < size; ++i) {
    double sum = 0;
    for (uint64_t part = 0; part < 4; ++part) sum += philox_uniform(seed, 4 * i + part);
    logits[i] = static_cast<float>(sum - 2) * spread;
  }
  return logits;
}

// token -> probability, by the definitions and nothing clever.
std::map<TokenId, double> exact_distribution(const std::vector<float>& logits,
                                             const SamplingParams& params) {
  std::vector<TokenId> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [&](TokenId token) {
    return static_cast<double>(logits[static_cast<size_t>(token)]);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](TokenId a, TokenId b) { return logit(a) > logit(b); });
  const auto weight = [&](TokenId token) {
    return std::exp((logit(token) - logit(order[0])) / static_cast<double>(params.temperature));
  };
  std::erase_if(order,
                [&](TokenId token) { return weight(token) < static_cast<double>(params.min_p); });
  if (params.top_k > 0) order.resize(std::min(order.size(), static_cast<size_t>(params.top_k)));
  const auto sum_of = [&] {
    return std::accumulate(order.begin(), order.end(), 0.0,
                           [&](double sum, TokenId t) { return sum + weight(t); });
  };
  if (params.top_p < 1) {
    const double wanted = static_cast<double>(params.top_p) * sum_of();
    double sum = 0;
    size_t size = 0;
    while (size < order.size() && (size == 0 || sum < wanted)) sum += weight(order[size++]);
    order.resize(size);
  }
  std::map<TokenId, double> distribution;
  const double total = sum_of();
  for (const TokenId token : order) distribution[token] = weight(token) / total;
  return distribution;
}

SamplingParams make_params(float temperature, int top_k, float top_p, float min_p) {
  SamplingParams params;
  params.temperature = temperature;
  params.top_k = top_k;
  params.top_p = top_p;
  params.min_p = min_p;
  return params;
}

// Sum of (observed - expected)^2 / expected over tokens expected at least 5 times, the rest in one
// bin.
struct ChiSquare {
  double value = 0;
  int bins = 0;
};

ChiSquare chi_square(const std::map<TokenId, double>& exact, const std::map<TokenId, int>& counts,
                     int num_draws) {
  ChiSquare result;
  double rest_expected = 0, rest_observed = 0;
  const auto add = [&](double observed, double expected) {
    result.value += (observed - expected) * (observed - expected) / expected;
    ++result.bins;
  };
  for (const auto& [token, probability] : exact) {
    const double expected = probability * num_draws;
    const auto it = counts.find(token);
    const double observed = it == counts.end() ? 0 : it->second;
    if (expected >= 5) {
      add(observed, expected);
    } else {
      rest_expected += expected;
      rest_observed += observed;
    }
  }
  if (rest_expected >= 5) add(rest_observed, rest_expected);
  return result;
}

class SamplerDistributionTest : public ::testing::TestWithParam<SamplingParams> {};

TEST_P(SamplerDistributionTest, DrawsFollowTheExactProbabilities) {
  constexpr int kDraws = 6000;
  for (const float spread : {1.0F, 6.0F}) {
    std::vector<float> logits = random_logits(700, 11, spread);
    logits[3] = logits[650] = logits[20];  // ties
    SamplingParams params = GetParam();
    const std::map<TokenId, double> exact = exact_distribution(logits, params);
    Sampler sampler(logits.size());
    std::map<TokenId, int> counts;
    for (params.seed = 0; params.seed < kDraws; ++params.seed) {
      const auto output = sampler.sample(params, {logits, {}, {}});
      ASSERT_TRUE(output.ok());
      ASSERT_TRUE(exact.contains(output->token)) << "token " << output->token << " was cut off";
      ++counts[output->token];
    }
    const ChiSquare result = chi_square(exact, counts, kDraws);
    // Mean bins - 1, variance 2 (bins - 1): four standard deviations, and a little for few bins.
    const double freedom = std::max(0, result.bins - 1);
    EXPECT_LT(result.value, freedom + 4 * std::sqrt(2 * freedom) + 6) << result.bins << " bins";
  }
}

TEST_P(SamplerDistributionTest, CutsOffWhatTheReferenceCutsOff) {
  for (uint64_t round = 0; round < 8; ++round) {
    const size_t size = 1 + static_cast<size_t>(philox_uniform(99, round) * 30000);
    std::vector<float> logits =
        random_logits(size, 1000 + round, 0.5F + static_cast<float>(round % 5) * 3);
    const SamplingParams params = GetParam();
    const std::map<TokenId, double> exact = exact_distribution(logits, params);
    // The draw walks the kept tokens by id, or from the likeliest on where a small top_k picked
    // them.
    std::vector<TokenId> kept;
    for (const auto& [token, probability] : exact) kept.push_back(token);
    if (params.top_k > 0 && params.top_k <= 1024) {
      std::stable_sort(kept.begin(), kept.end(), [&](TokenId a, TokenId b) {
        return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
      });
    }
    Sampler sampler(size);
    for (uint64_t seed = 0; seed < 20; ++seed) {
      SamplingParams seeded = params;
      seeded.seed = seed;
      const double uniform = philox_uniform(seed, 0);
      double sum = 0;
      size_t at = 0;
      while (at + 1 < kept.size() && (sum += exact.at(kept[at])) <= uniform) ++at;
      const TokenId token = sampler.sample(seeded, {logits, {}, {}})->token;
      if (token == kept[at]) continue;
      // Rounding may move a draw that falls within 1e-5 of a border by one token.
      const double border =
          token == kept[std::min(at + 1, kept.size() - 1)] ? sum : sum - exact.at(kept[at]);
      EXPECT_NEAR(border, uniform, 1e-5) << "round " << round << " seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Parameters, SamplerDistributionTest,
    ::testing::Values(make_params(1, 0, 1, 0), make_params(0.7F, 0, 1, 0),
                      make_params(1.5F, 0, 1, 0), make_params(1, 40, 1, 0),
                      make_params(1, 0, 0.9F, 0), make_params(1, 0, 0.999F, 0),
                      make_params(1, 0, 1, 0.05F), make_params(0.8F, 50, 0.95F, 0.02F),
                      make_params(2, 300, 0.5F, 0), make_params(1, 0, 0.7F, 0.1F),
                      make_params(1, 1, 1, 0), make_params(1, 100000, 0.3F, 0),
                      make_params(1, 2000, 1, 0), make_params(1, 1500, 0.8F, 0.001F)));

TEST(TopTokensTest, IsWhatSortingGives) {
  for (uint64_t round = 0; round < 20; ++round) {
    std::vector<float> logits = random_logits(20000, round, 2);
    if (round % 2 == 1) {  // many ties
      for (float& logit : logits) logit = std::round(logit);
    }
    if (round == 4) std::sort(logits.begin(), logits.end());
    std::vector<Candidate> sorted(logits.size());
    for (size_t i = 0; i < logits.size(); ++i) sorted[i] = {logits[i], static_cast<TokenId>(i)};
    std::sort(sorted.begin(), sorted.end(), is_likelier);
    std::vector<Candidate> top;
    for (const size_t n : {size_t{0}, size_t{1}, size_t{20}, size_t{5000}, size_t{19999},
                           size_t{20000}, size_t{50000}}) {
      select_top(logits, n, top);
      ASSERT_EQ(top.size(), std::min(n, logits.size()));
      for (size_t i = 0; i < top.size(); ++i)
        ASSERT_EQ(top[i].token, sorted[i].token) << "n " << n << " at " << i;
    }
  }
}

TEST(TopTokensTest, MaskedTokensNeverCount) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  const std::vector<float> logits = {kNever, -1, kNever, 2};
  std::vector<Candidate> top;
  select_top(logits, 4, top);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].token, 3);
  EXPECT_EQ(top[1].token, 1);
}

TEST(RowScanTest, ExpIsExpToTheLastBits) {
  for (double x = 0; x > -87; x -= 0.0137) {
    const auto argument = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(argument));
    ASSERT_NEAR(exp_of_negative(argument) / exact, 1, 2e-7) << argument;
  }
  EXPECT_EQ(exp_of_negative(0), 1.0F);
  EXPECT_EQ(exp_of_negative(-88), 0.0F);
  EXPECT_EQ(exp_of_negative(-std::numeric_limits<float>::infinity()), 0.0F);
}

TEST(RowScanTest, LogNormalizerOfALargeRow) {
  const std::vector<float> logits = random_logits(262144, 5, 8);
  RowMaximum maximum;
  ASSERT_TRUE(scan_maximum(logits, &maximum));
  EXPECT_EQ(maximum.index,
            static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  double exact = 0;
  for (const float logit : logits) exact += std::exp(static_cast<double>(logit - maximum.value));
  EXPECT_NEAR(std::log(sum_of_exp(logits, maximum.value)), std::log(exact), 1e-6);
}

}  // namespace
}  // namespace twostroke

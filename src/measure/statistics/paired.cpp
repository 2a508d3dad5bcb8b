#include "measure/statistics/paired.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "base/philox.h"
#include "measure/statistics/distributions.h"

namespace twostroke {
namespace {

double median_of_pairwise_means(std::span<const double> values) {
  std::vector<double> means;
  means.reserve(values.size() * (values.size() + 1) / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = i; j < values.size(); ++j) means.push_back((values[i] + values[j]) / 2);
  }
  return quantile(means, 0.5);
}

// Sums that differ by rounding alone are ties, and ties speak for "no difference".
double tie_slack(std::span<const double> differences) {
  double total = 0;
  for (const double d : differences) total += std::abs(d);
  return total * 1e-9;
}

// Walks all patterns in Gray-code order, one sign at a time. The last sign stays: a pattern and its
// mirror have the same |sum|.
SignFlipTest count_all_patterns(std::span<const double> differences, double threshold) {
  const auto n = static_cast<int>(differences.size());
  const int64_t num_patterns = int64_t{1} << (n - 1);
  std::vector<double> signed_values(differences.begin(), differences.end());
  double sum = std::accumulate(signed_values.begin(), signed_values.end(), 0.0);
  int64_t as_far = 0;
  for (int64_t pattern = 1; pattern <= num_patterns; ++pattern) {
    if (std::abs(sum) >= threshold) ++as_far;
    if (pattern == num_patterns) break;
    const auto flipped = static_cast<size_t>(std::countr_zero(static_cast<uint64_t>(pattern)));
    sum -= 2 * signed_values[flipped];
    signed_values[flipped] = -signed_values[flipped];
  }
  return {.p_value = static_cast<double>(as_far) / static_cast<double>(num_patterns),
          .exact = true,
          .num_flips = num_patterns * 2};
}

SignFlipTest sample_patterns(std::span<const double> differences, double threshold, uint64_t seed) {
  const PhiloxKey key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  int64_t as_far = 1;
  for (int64_t flip = 1; flip < kSampledFlips; ++flip) {
    double sum = 0;
    PhiloxCounter bits{};
    for (size_t i = 0; i < differences.size(); ++i) {
      if (i % 128 == 0) {
        bits = philox4x32({static_cast<uint32_t>(flip), static_cast<uint32_t>(i / 128), 0, 0}, key);
      }
      const bool is_negative = (bits[i / 32 % 4] >> (i % 32) & 1) != 0;
      sum += is_negative ? -differences[i] : differences[i];
    }
    if (std::abs(sum) >= threshold) ++as_far;
  }
  return {.p_value = static_cast<double>(as_far) / static_cast<double>(kSampledFlips),
          .exact = false,
          .num_flips = kSampledFlips};
}

}  // namespace

PairedEffect paired_effect(std::span<const double> differences, double confidence) {
  CHECK(!differences.empty());
  PairedEffect effect;
  effect.num_blocks = static_cast<int>(differences.size());
  effect.mean = mean_of(differences);
  effect.hodges_lehmann = median_of_pairwise_means(differences);
  if (effect.num_blocks == 1) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    effect.interval = {-kInfinity, kInfinity};
    return effect;
  }
  const auto n = static_cast<double>(differences.size());
  effect.standard_deviation = standard_deviation_of(differences);
  const double half =
      student_t_quantile(0.5 + confidence / 2, n - 1) * effect.standard_deviation / std::sqrt(n);
  effect.interval = {effect.mean - half, effect.mean + half};
  return effect;
}

SignFlipTest sign_flip_test(std::span<const double> differences, uint64_t seed) {
  CHECK(!differences.empty());
  const double observed = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0));
  const double threshold = observed - tie_slack(differences);
  if (differences.size() <= kMaxExactBlocks) return count_all_patterns(differences, threshold);
  return sample_patterns(differences, threshold, seed);
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const auto remaining = static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, remaining * p_values[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

double least_sign_flip_p(int num_blocks) {
  return std::ldexp(2.0, -num_blocks);
}

}  // namespace twostroke

#include "measure/statistics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "base/philox.h"
#include "measure/statistics/distributions.h"

namespace twostroke {

Interval block_bootstrap_interval(size_t num_blocks, BlockStatistic statistic, uint64_t seed,
                                  double confidence, int resamples) {
  CHECK_GE(num_blocks, 2u);
  std::vector<size_t> chosen(num_blocks);
  std::vector<double> values;
  values.reserve(static_cast<size_t>(resamples));
  uint64_t draw = 0;
  for (int r = 0; r < resamples; ++r) {
    for (size_t& block : chosen) {
      block = static_cast<size_t>(philox_uniform(seed, draw++) * static_cast<double>(num_blocks));
    }
    values.push_back(statistic(chosen));
    CHECK(!std::isnan(values.back()));
  }
  std::ranges::sort(values);
  const auto n = static_cast<double>(num_blocks);
  const double t = student_t_quantile(0.5 + confidence / 2, n - 1);
  const double tail = normal_cdf(-std::sqrt(n / (n - 1)) * t);
  return {quantile_of_sorted(values, tail), quantile_of_sorted(values, 1 - tail)};
}

RatioInterval ratio_of_means(std::span<const double> numerators,
                             std::span<const double> denominators, double confidence) {
  CHECK_EQ(numerators.size(), denominators.size());
  CHECK_GE(numerators.size(), 2u);
  const auto n = static_cast<double>(numerators.size());
  const double x = mean_of(numerators);
  const double y = mean_of(denominators);
  double variance_x = 0;
  double variance_y = 0;
  double covariance = 0;
  for (size_t i = 0; i < numerators.size(); ++i) {
    const double dx = numerators[i] - x;
    const double dy = denominators[i] - y;
    variance_x += dx * dx;
    variance_y += dy * dy;
    covariance += dx * dy;
  }
  const double t = student_t_quantile(0.5 + confidence / 2, n - 1);
  const double scale = t * t / (n * (n - 1));  // of means
  // All r with (x - r y)^2 <= t^2 Var(x - r y): a quadratic in r.
  const double a = y * y - scale * variance_y;
  const double b = x * y - scale * covariance;
  const double c = x * x - scale * variance_x;
  RatioInterval result;
  result.ratio = x / y;
  const double discriminant = b * b - a * c;
  if (a <= 0 || discriminant < 0) return result;
  const double root = std::sqrt(discriminant);
  result.bounded = true;
  result.interval = {(b - root) / a, (b + root) / a};
  return result;
}

}  // namespace twostroke

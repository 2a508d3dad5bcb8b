#include "measure/statistics/quantiles.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "measure/statistics/distributions.h"

namespace twostroke {

double quantile_of_sorted(std::span<const double> sorted, double q) {
  CHECK(!sorted.empty());
  CHECK(q >= 0 && q <= 1);
  const double position = static_cast<double>(sorted.size() - 1) * q;
  const auto below = static_cast<size_t>(position);
  const double fraction = position - static_cast<double>(below);
  const double low = sorted[below];
  if (fraction == 0 || below + 1 == sorted.size()) return low;
  const double high = sorted[below + 1];
  if (std::isinf(high) || low == high) return high;
  return low + fraction * (high - low);
}

double quantile(std::span<const double> values, double q) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return quantile_of_sorted(sorted, q);
}

// The quantile lies between the ranks first and last + 1 (from 1) exactly when the number of
// samples below it is in [first, last], and that number is binomial.
std::optional<Interval> quantile_interval(std::span<const double> sorted, double q,
                                          double confidence) {
  const auto n = static_cast<int64_t>(sorted.size());
  if (n < 2 || q <= 0 || q >= 1) return std::nullopt;
  int64_t first = std::clamp<int64_t>(
      static_cast<int64_t>(std::floor(static_cast<double>(n + 1) * q)), 1, n - 1);
  int64_t last = first;
  double covered = binomial_pmf(first, n, q);
  while (covered < confidence) {
    const double below = first > 1 ? binomial_pmf(first - 1, n, q) : -1;
    const double above = last < n - 1 ? binomial_pmf(last + 1, n, q) : -1;
    if (below < 0 && above < 0) return std::nullopt;
    if (above > below) {
      covered += above;
      ++last;
    } else {
      covered += below;
      --first;
    }
  }
  return Interval{sorted[static_cast<size_t>(first - 1)], sorted[static_cast<size_t>(last)]};
}

// All order statistics together cover with 1 - q^n - (1 - q)^n.
int64_t least_samples_for_interval(double q, double confidence) {
  CHECK(q > 0 && q < 1 && confidence > 0 && confidence < 1);
  const double outer = std::max(q, 1 - q);
  auto n =
      std::max<int64_t>(2, static_cast<int64_t>(std::log(1 - confidence) / std::log(outer)) - 1);
  const auto missed = [q](int64_t samples) {
    const auto exponent = static_cast<double>(samples);
    return std::pow(q, exponent) + std::pow(1 - q, exponent);
  };
  while (missed(n) > 1 - confidence) ++n;
  return n;
}

Interval wilson_interval(int64_t hits, int64_t total, double confidence) {
  CHECK(total > 0 && hits >= 0 && hits <= total);
  const auto n = static_cast<double>(total);
  const double share = static_cast<double>(hits) / n;
  const double z = normal_quantile(0.5 + confidence / 2);
  const double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double half =
      z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {hits == 0 ? 0 : middle - half, hits == total ? 1 : middle + half};
}

double mean_of(std::span<const double> values) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double standard_deviation_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace twostroke

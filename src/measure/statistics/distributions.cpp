#include "measure/statistics/distributions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace twostroke {
namespace {

// The argument in [low, high] at which an increasing function reaches `target`: halved until no
// double lies between. `high` grows first when the function is still below.
template <typename Function>
double invert_increasing(const Function& function, double target, double low, double high) {
  while (function(high) < target && high < 1e300) high *= 2;
  while (function(low) > target && low > -1e300) low *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (function(middle) < target ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

// Lentz's evaluation of the continued fraction of I_x(a, b); converges fast for x below a/(a+b).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr double kPrecision = 1e-16;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int i = 1; i <= 100'000; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < kPrecision) break;
  }
  return fraction;
}

}  // namespace

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

double normal_quantile(double probability) {
  CHECK(probability > 0 && probability < 1);
  // The lower tail keeps its digits; the upper one is its mirror.
  if (probability > 0.5) return -normal_quantile(1 - probability);
  return invert_increasing(normal_cdf, probability, -40.0, 1.0);
}

double incomplete_beta(double a, double b, double x) {
  CHECK(a > 0 && b > 0);
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double log_front =
      std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x);
  if (x < (a + 1) / (a + b + 2)) return std::exp(log_front) * beta_fraction(a, b, x) / a;
  return 1 - std::exp(log_front) * beta_fraction(b, a, 1 - x) / b;
}

double student_t_cdf(double t, double degrees) {
  const double tail = 0.5 * incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double probability, double degrees) {
  CHECK(probability > 0 && probability < 1);
  if (probability > 0.5) return -student_t_quantile(1 - probability, degrees);
  return invert_increasing([degrees](double t) { return student_t_cdf(t, degrees); }, probability,
                           -10.0, 1.0);
}

// Simpson's rule over s = sqrt(chi2 / degrees), whose standard deviation is about
// 1 / sqrt(2 degrees): P(T <= t | s) is a normal probability.
double noncentral_t_cdf(double t, double degrees, double noncentrality) {
  constexpr int kIntervals = 4000;
  const double spread = 14 / std::sqrt(2 * degrees);
  const double low = std::max(0.0, 1 - spread);
  const double width = (1 + spread - low) / kIntervals;
  const double log_front =
      std::numbers::ln2 + degrees / 2 * std::log(degrees / 2) - std::lgamma(degrees / 2);
  const auto integrand = [&](double s) {
    if (s <= 0) return degrees > 1 ? 0.0 : std::exp(log_front) * normal_cdf(-noncentrality);
    const double density = std::exp(log_front + (degrees - 1) * std::log(s) - degrees * s * s / 2);
    return density * normal_cdf(t * s - noncentrality);
  };
  double sum = integrand(low) + integrand(low + width * kIntervals);
  for (int i = 1; i < kIntervals; ++i) sum += (i % 2 == 1 ? 4 : 2) * integrand(low + width * i);
  return std::clamp(sum * width / 3, 0.0, 1.0);
}

double binomial_cdf(int64_t successes, int64_t trials, double probability) {
  if (successes < 0) return 0;
  if (successes >= trials) return 1;
  const auto k = static_cast<double>(successes);
  return incomplete_beta(static_cast<double>(trials) - k, k + 1, 1 - probability);
}

double binomial_pmf(int64_t successes, int64_t trials, double probability) {
  if (successes < 0 || successes > trials) return 0;
  if (probability <= 0) return successes == 0 ? 1 : 0;
  if (probability >= 1) return successes == trials ? 1 : 0;
  const auto k = static_cast<double>(successes);
  const auto n = static_cast<double>(trials);
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                  k * std::log(probability) + (n - k) * std::log1p(-probability));
}

}  // namespace twostroke

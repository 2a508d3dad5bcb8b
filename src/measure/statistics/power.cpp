#include "measure/statistics/power.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "base/check.h"
#include "base/philox.h"
#include "measure/statistics/distributions.h"
#include "measure/statistics/paired.h"

namespace twostroke {
namespace {

// Box and Muller's: two uniform draws make one standard normal.
double standard_normal(uint64_t seed, uint64_t index) {
  const double radius = std::sqrt(-2 * std::log1p(-philox_uniform(seed, 2 * index)));
  return radius * std::cos(2 * std::numbers::pi * philox_uniform(seed, 2 * index + 1));
}

// The same draws for every effect, so that power grows with the effect without noise.
double simulated_power(double effect, int num_blocks, double alpha) {
  constexpr int kExperiments = 4000;
  constexpr uint64_t kSeed = 20;
  const auto n = static_cast<size_t>(num_blocks);
  std::vector<double> differences(n);
  int found = 0;
  uint64_t draw = 0;
  for (int i = 0; i < kExperiments; ++i) {
    for (double& difference : differences) difference = effect + standard_normal(kSeed, draw++);
    found += sign_flip_test(differences, 0).p_value <= alpha ? 1 : 0;
  }
  return static_cast<double>(found) / kExperiments;
}

}  // namespace

double attainable_level(int num_blocks, double alpha) {
  CHECK_GE(num_blocks, 1);
  if (num_blocks > 40) return alpha;  // the steps are finer than anything alpha can show
  const double steps = std::floor(alpha * std::ldexp(1.0, num_blocks - 1) * (1 + 1e-12));
  return std::ldexp(steps, 1 - num_blocks);
}

double paired_t_power(double effect, int num_blocks, double alpha) {
  if (num_blocks < 2 || alpha <= 0) return 0;
  const double degrees = num_blocks - 1;
  const double critical = student_t_quantile(1 - alpha / 2, degrees);
  const double noncentrality = std::abs(effect) * std::sqrt(static_cast<double>(num_blocks));
  return 1 - noncentral_t_cdf(critical, degrees, noncentrality) +
         noncentral_t_cdf(-critical, degrees, noncentrality);
}

double sign_flip_power(double effect, int num_blocks, double alpha) {
  const double level = attainable_level(num_blocks, alpha);
  if (num_blocks < 2 || level <= 0) return 0;
  if (num_blocks <= kSimulatedBlocks) return simulated_power(std::abs(effect), num_blocks, alpha);
  return paired_t_power(effect, num_blocks, level);
}

double detectable_effect(int num_blocks, double alpha, double power) {
  const double level = attainable_level(num_blocks, alpha);
  if (num_blocks < 2 || level <= 0) return std::numeric_limits<double>::infinity();
  double low = 0;
  double high = 1;
  while (sign_flip_power(high, num_blocks, alpha) < power && high < 1e6) high *= 2;
  for (int i = 0; i < 24; ++i) {
    const double middle = (low + high) / 2;
    (sign_flip_power(middle, num_blocks, alpha) < power ? low : high) = middle;
  }
  return high;
}

int blocks_to_detect(double effect, double alpha, double power) {
  CHECK(effect != 0);
  const auto enough = [&](int n) { return sign_flip_power(effect, n, alpha) >= power; };
  int high = 4;
  while (high < kMaxPlannedBlocks && !enough(high)) high *= 2;
  high = std::min(high, kMaxPlannedBlocks);
  int low = 1;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (enough(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace twostroke

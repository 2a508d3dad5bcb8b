#include "measure/workload/arrival_times.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "base/philox.h"

namespace twostroke {
namespace {

constexpr uint64_t kDrawsPerGamma = 1 << 10;

// The random numbers of one draw, one after another.
class Draws {
 public:
  Draws(uint64_t seed, uint64_t index) : seed_(seed), next_(index * kDrawsPerGamma) {}
  double uniform() { return philox_uniform(seed_, next_++); }
  double normal() {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  uint64_t seed_;
  uint64_t next_;
};

// The rate between requests i and i + 1 of `count`.
double rate_at(const ArrivalConfig& arrival, int i, int count) {
  if (arrival.ramp == Ramp::kNone || count <= 1) return arrival.rate_per_s;
  const double done = static_cast<double>(i) / (count - 1);
  const double from = arrival.ramp_start_per_s;
  const double to = arrival.rate_per_s;
  return arrival.ramp == Ramp::kLinear ? from + (to - from) * done
                                       : from * std::pow(to / from, done);
}

}  // namespace

double gamma_of_mean_one(double shape, uint64_t seed, uint64_t index) {
  CHECK_GT(shape, 0);
  Draws draws(seed, index);
  // Below 1 the method is used one higher and the result thinned by a power of a uniform.
  const double boost = shape < 1 ? std::pow(1 - draws.uniform(), 1 / shape) : 1;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - draws.uniform()) < x * x / 2 + d - d * v + d * std::log(v)) {
      return d * v * boost / shape;
    }
  }
}

std::vector<int64_t> arrival_times_ns(const ArrivalConfig& arrival, int count, uint64_t seed) {
  CHECK_GT(arrival.rate_per_s, 0);
  std::vector<int64_t> times(static_cast<size_t>(std::max(0, count)), 0);
  if (std::isinf(arrival.rate_per_s)) return times;  // all at once
  std::vector<double> seconds;
  double now = 0;
  double expected = 0;
  for (int i = 0; i < count; ++i) {
    const double mean_gap = 1 / rate_at(arrival, i, count);
    const double factor =
        std::isinf(arrival.burstiness)
            ? 1
            : gamma_of_mean_one(arrival.burstiness, seed, static_cast<uint64_t>(i));
    now += mean_gap * factor;
    expected += mean_gap;
    seconds.push_back(now);
  }
  const double scale = now > 0 ? expected / now : 1;
  for (size_t i = 0; i < times.size(); ++i) {
    times[i] = static_cast<int64_t>(seconds[i] * scale * 1e9);
  }
  return times;
}

}  // namespace twostroke

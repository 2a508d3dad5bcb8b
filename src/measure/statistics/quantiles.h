// Quantiles with a stated definition, and what is known about them from so many samples.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace twostroke {

// A closed interval; ends may be infinite.
struct Interval {
  double low = 0;
  double high = 0;
  bool contains(double value) const { return low <= value && value <= high; }
};

// Hyndman and Fan's type 7, the default of numpy and of vLLM's client: linear between the order
// statistics around position (n - 1) q, counted from 0. A failed request may be +infinity: a
// quantile that reaches one is +infinity. REQUIRES: not empty, no NaN, 0 <= q <= 1.
double quantile_of_sorted(std::span<const double> sorted, double q);
double quantile(std::span<const double> values, double q);

// Distribution-free interval between two order statistics that covers the quantile of what was
// sampled in at least `confidence` of the cases; grown from the middle rank, always on the likelier
// side. Nothing when no two samples can be that sure: then the quantile must be marked.
std::optional<Interval> quantile_interval(std::span<const double> sorted, double q,
                                          double confidence = 0.95);

// Fewest samples for which quantile_interval has an answer: 299 for p99, 59 for p95, 29 for p90.
int64_t least_samples_for_interval(double q, double confidence = 0.95);

// Wilson's interval for a share: `hits` of `total` (SLO attainment). REQUIRES: 0 <= hits <= total,
// total > 0.
Interval wilson_interval(int64_t hits, int64_t total, double confidence = 0.95);

double mean_of(std::span<const double> values);  // 0 when empty
// Root of the unbiased variance; 0 for fewer than two values.
double standard_deviation_of(std::span<const double> values);

}  // namespace twostroke

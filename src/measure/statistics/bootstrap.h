// Intervals by resampling blocks, for statistics that have no formula. Whole blocks are drawn, so
// what is alike within a run stays together.
#pragma once

#include <cstdint>
#include <span>

#include "base/function_ref.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {

constexpr int kBootstrapResamples = 2000;

// The statistic of a choice of blocks (indices below num_blocks, with repetition). Never NaN;
// infinities are allowed and sort to the ends.
using BlockStatistic = FunctionRef<double(std::span<const size_t> blocks)>;

// Expanded percentile interval: the percentiles are taken further out so that few blocks give an
// interval as wide as Student's t (Hesterberg, "What teachers should know about the bootstrap",
// 2015). Same seed, same interval. REQUIRES: num_blocks >= 2.
Interval block_bootstrap_interval(size_t num_blocks, BlockStatistic statistic, uint64_t seed,
                                  double confidence = 0.95, int resamples = kBootstrapResamples);

// An interval for mean(numerators) / mean(denominators) over paired blocks (Fieller, 1954): right
// also where the denominator is not far from zero. Unbounded: the data cannot tell the denominator
// from zero, and then no finite interval would be honest.
struct RatioInterval {
  bool bounded = false;
  double ratio = 0;
  Interval interval;  // when bounded
};
// REQUIRES: same sizes, at least two.
RatioInterval ratio_of_means(std::span<const double> numerators,
                             std::span<const double> denominators, double confidence = 0.95);

}  // namespace twostroke

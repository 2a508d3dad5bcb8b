// For a trade-off between the phases: the answer length at which both sides take equally long, and
// which answers of a workload are shorter. E2EL(N) = TTFT + (N - 1) TPOT.
#pragma once

#include <cstdint>
#include <span>

#include "measure/statistics/quantiles.h"

namespace twostroke {

struct BreakEven {
  bool exists = false;   // false: one side is faster at every length
  bool bounded = false;  // false: the blocks cannot bound the length
  double tokens = 0;     // answer length
  Interval interval;     // 95 %, when bounded; not below 1
  bool b_wins_below = false;
  // Answers with fewer tokens, of 1; at the estimate and at the interval's ends.
  double share_below = 0;
  Interval share_interval;
};

// Milliseconds per block. REQUIRES: four spans of one size, at least two blocks.
BreakEven break_even(std::span<const double> ttft_a, std::span<const double> ttft_b,
                     std::span<const double> tpot_a, std::span<const double> tpot_b,
                     std::span<const int64_t> output_lengths);

}  // namespace twostroke

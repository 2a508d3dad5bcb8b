// How many requests keep the limits a product promises: at the given limits, and over a map of
// limits, so that whoever has other limits need not measure again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "measure/decide/samples.h"
#include "measure/statistics/paired.h"

namespace twostroke {

// All that are given must hold, request by request. A failed request keeps none.
struct SloLimits {
  std::optional<double> ttft_ms = {};
  std::optional<double> tpot_ms = {};  // one token keeps every TPOT limit
  std::optional<double> e2el_ms = {};
  bool is_set() const { return ttft_ms || tpot_ms || e2el_ms; }
};
bool keeps(const RequestSample& request, const SloLimits& limits);
// Of 1; 0 for a run without requests.
double attainment(const ArmRun& run, const SloLimits& limits);

struct Goodput {
  double attainment_a = 0;  // mean over blocks
  double attainment_b = 0;
  double requests_per_s_a = 0;  // good ones, mean over blocks
  double requests_per_s_b = 0;
  PairedEffect difference;  // of attainment, B - A
  double p_value = 1;       // exploratory: not corrected
};
// REQUIRES: at least one block.
Goodput compare_goodput(std::span<const Block> blocks, const SloLimits& limits, uint64_t seed);

enum class SloWinner { kUndecided, kA, kB };

struct SloCell {
  double attainment_a = 0;
  double attainment_b = 0;
  Interval difference;  // 95 % over blocks, for this cell alone
  SloWinner winner = SloWinner::kUndecided;
};

// Rows are TTFT limits, columns TPOT limits, both rising.
struct SloMap {
  std::vector<double> ttft_limits_ms;
  std::vector<double> tpot_limits_ms;
  std::vector<SloCell> cells;  // [ttft_limits, tpot_limits]
  const SloCell& at(size_t ttft, size_t tpot) const {
    return cells[ttft * tpot_limits_ms.size() + tpot];
  }
};
constexpr int kSloMapSide = 14;
// Limits are spread evenly on a log scale over what was seen. Empty when there is nothing to map:
// fewer than two blocks, or no TPOT.
SloMap slo_map(std::span<const Block> blocks, int side = kSloMapSide);

}  // namespace twostroke

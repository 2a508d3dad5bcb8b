#include "measure/decide/break_even.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "measure/statistics/bootstrap.h"

namespace twostroke {
namespace {

double share_below(std::span<const int64_t> lengths, double tokens) {
  if (lengths.empty()) return 0;
  const auto below = std::ranges::count_if(
      lengths, [tokens](int64_t length) { return static_cast<double>(length) < tokens; });
  return static_cast<double>(below) / static_cast<double>(lengths.size());
}

}  // namespace

BreakEven break_even(std::span<const double> ttft_a, std::span<const double> ttft_b,
                     std::span<const double> tpot_a, std::span<const double> tpot_b,
                     std::span<const int64_t> output_lengths) {
  CHECK_EQ(ttft_a.size(), ttft_b.size());
  CHECK_EQ(ttft_a.size(), tpot_a.size());
  CHECK_EQ(ttft_a.size(), tpot_b.size());
  std::vector<double> saved(ttft_a.size());  // by B, until the first token
  std::vector<double> lost(ttft_a.size());   // by B, with every further one
  for (size_t i = 0; i < saved.size(); ++i) {
    saved[i] = ttft_a[i] - ttft_b[i];
    lost[i] = tpot_b[i] - tpot_a[i];
  }
  const RatioInterval ratio = ratio_of_means(saved, lost);
  BreakEven result;
  result.tokens = 1 + ratio.ratio;
  result.exists = std::isfinite(result.tokens) && result.tokens > 1;
  if (!result.exists) return result;
  result.b_wins_below = mean_of(saved) > 0;
  result.bounded = ratio.bounded;
  result.share_below = share_below(output_lengths, result.tokens);
  if (!ratio.bounded) return result;
  result.interval = {std::max(1.0, 1 + ratio.interval.low), 1 + ratio.interval.high};
  result.share_interval = {share_below(output_lengths, result.interval.low),
                           share_below(output_lengths, result.interval.high)};
  return result;
}

}  // namespace twostroke

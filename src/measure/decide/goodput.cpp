#include "measure/decide/goodput.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace twostroke {
namespace {

double good_per_s(const ArmRun& run, double share) {
  if (run.duration_s <= 0) return 0;
  return share * static_cast<double>(run.requests.size()) / run.duration_s;
}

// `side` limits from just below the fastest to just above the slowest of both sides, without the
// outermost hundredths: one stray request must not stretch the map.
std::vector<double> limits_over(std::span<const Block> blocks, double RequestSample::*time,
                                int side) {
  std::vector<double> seen;
  for (const Block& block : blocks) {
    for (const ArmRun* run : {&block.a, &block.b}) {
      for (const RequestSample& request : run->requests) {
        const double value = request.*time;
        if (std::isfinite(value) && value > 0) seen.push_back(value);
      }
    }
  }
  if (seen.empty()) return {};
  std::ranges::sort(seen);
  const double low = std::log(quantile_of_sorted(seen, 0.01) * 0.97);
  const double high = std::log(quantile_of_sorted(seen, 0.99) * 1.03);
  std::vector<double> limits;
  for (int i = 0; i < side; ++i) limits.push_back(std::exp(low + (high - low) * i / (side - 1)));
  return limits;
}

SloCell cell_at(std::span<const Block> blocks, const SloLimits& limits) {
  std::vector<double> differences;
  SloCell cell;
  for (const Block& block : blocks) {
    const double a = attainment(block.a, limits);
    const double b = attainment(block.b, limits);
    cell.attainment_a += a;
    cell.attainment_b += b;
    differences.push_back(b - a);
  }
  cell.attainment_a /= static_cast<double>(blocks.size());
  cell.attainment_b /= static_cast<double>(blocks.size());
  cell.difference = paired_effect(differences).interval;
  if (cell.difference.low > 0) cell.winner = SloWinner::kB;
  if (cell.difference.high < 0) cell.winner = SloWinner::kA;
  return cell;
}

}  // namespace

bool keeps(const RequestSample& request, const SloLimits& limits) {
  if (!request.ok) return false;
  if (limits.ttft_ms && !(request.ttft_ms <= *limits.ttft_ms)) return false;
  if (limits.e2el_ms && !(request.e2el_ms <= *limits.e2el_ms)) return false;
  return !limits.tpot_ms || std::isnan(request.tpot_ms) || request.tpot_ms <= *limits.tpot_ms;
}

double attainment(const ArmRun& run, const SloLimits& limits) {
  if (run.requests.empty()) return 0;
  const auto good = std::ranges::count_if(
      run.requests, [&](const RequestSample& request) { return keeps(request, limits); });
  return static_cast<double>(good) / static_cast<double>(run.requests.size());
}

Goodput compare_goodput(std::span<const Block> blocks, const SloLimits& limits, uint64_t seed) {
  CHECK(!blocks.empty());
  Goodput goodput;
  std::vector<double> differences;
  const auto n = static_cast<double>(blocks.size());
  for (const Block& block : blocks) {
    const double a = attainment(block.a, limits);
    const double b = attainment(block.b, limits);
    goodput.attainment_a += a;
    goodput.attainment_b += b;
    goodput.requests_per_s_a += good_per_s(block.a, a) / n;
    goodput.requests_per_s_b += good_per_s(block.b, b) / n;
    differences.push_back(b - a);
  }
  goodput.attainment_a /= n;
  goodput.attainment_b /= n;
  goodput.difference = paired_effect(differences);
  goodput.p_value = sign_flip_test(differences, seed).p_value;
  return goodput;
}

SloMap slo_map(std::span<const Block> blocks, int side) {
  CHECK_GE(side, 2);
  SloMap map;
  if (blocks.size() < 2) return map;
  map.ttft_limits_ms = limits_over(blocks, &RequestSample::ttft_ms, side);
  map.tpot_limits_ms = limits_over(blocks, &RequestSample::tpot_ms, side);
  for (const double ttft : map.ttft_limits_ms) {
    for (const double tpot : map.tpot_limits_ms) {
      map.cells.push_back(cell_at(blocks, {.ttft_ms = ttft, .tpot_ms = tpot}));
    }
  }
  if (map.cells.empty()) return {};
  return map;
}

}  // namespace twostroke

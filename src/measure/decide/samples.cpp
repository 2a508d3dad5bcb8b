#include "measure/decide/samples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "measure/statistics/quantiles.h"

namespace twostroke {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<MetricTraits, kNumMetrics> kTraits = {{
    {"ttft_p50_ms", "TTFT p50", "ms", true},
    {"ttft_p95_ms", "TTFT p95", "ms", true},
    {"ttft_mean_ms", "TTFT mean", "ms", true},
    {"tpot_mean_ms", "TPOT mean", "ms", true},
    {"tpot_p95_ms", "TPOT p95", "ms", true},
    {"itl_p99_ms", "ITL p99", "ms", true},
    {"worst_stall_ms", "worst stall", "ms", true},
    {"e2el_p50_ms", "E2EL p50", "ms", true},
    {"e2el_p95_ms", "E2EL p95", "ms", true},
    {"output_tokens_per_s", "output", "tok/s", false},
}};

// The defined values of one time over the requests.
std::vector<double> values_of(const ArmRun& run, double RequestSample::*time) {
  std::vector<double> values;
  for (const RequestSample& request : run.requests) {
    if (!std::isnan(request.*time)) values.push_back(request.*time);
  }
  return values;
}

double quantile_or_nan(const std::vector<double>& values, double q) {
  return values.empty() ? kNaN : quantile(values, q);
}
double mean_or_nan(const std::vector<double>& values) {
  return values.empty() ? kNaN : mean_of(values);
}

std::vector<double> all_gaps(const ArmRun& run) {
  std::vector<double> gaps;
  for (const RequestSample& request : run.requests) {
    gaps.insert(gaps.end(), request.itl_ms.begin(), request.itl_ms.end());
  }
  return gaps;
}

double output_tokens_per_s(const ArmRun& run) {
  int64_t tokens = 0;
  for (const RequestSample& request : run.requests) tokens += request.output_tokens;
  return run.duration_s > 0 ? static_cast<double>(tokens) / run.duration_s : kNaN;
}

}  // namespace

const MetricTraits& traits_of(Metric metric) {
  return kTraits[static_cast<size_t>(metric)];
}

double run_statistic(const ArmRun& run, Metric metric) {
  switch (metric) {
    case Metric::kTtftP50:
      return quantile_or_nan(values_of(run, &RequestSample::ttft_ms), 0.5);
    case Metric::kTtftP95:
      return quantile_or_nan(values_of(run, &RequestSample::ttft_ms), 0.95);
    case Metric::kTtftMean:
      return mean_or_nan(values_of(run, &RequestSample::ttft_ms));
    case Metric::kTpotMean:
      return mean_or_nan(values_of(run, &RequestSample::tpot_ms));
    case Metric::kTpotP95:
      return quantile_or_nan(values_of(run, &RequestSample::tpot_ms), 0.95);
    case Metric::kItlP99:
      return quantile_or_nan(all_gaps(run), 0.99);
    case Metric::kWorstStall:
      return quantile_or_nan(all_gaps(run), 1);
    case Metric::kE2elP50:
      return quantile_or_nan(values_of(run, &RequestSample::e2el_ms), 0.5);
    case Metric::kE2elP95:
      return quantile_or_nan(values_of(run, &RequestSample::e2el_ms), 0.95);
    case Metric::kOutputTokensPerS:
      return output_tokens_per_s(run);
  }
  return kNaN;
}

std::vector<double> log_ratios(std::span<const Block> blocks, Metric metric) {
  std::vector<double> ratios;
  for (const Block& block : blocks) {
    const double a = run_statistic(block.a, metric);
    const double b = run_statistic(block.b, metric);
    if (!(a > 0 && b > 0 && std::isfinite(a) && std::isfinite(b))) return {};
    ratios.push_back(std::log(b / a));
  }
  return ratios;
}

int64_t count_failed(const ArmRun& run) {
  return std::ranges::count_if(run.requests, [](const RequestSample& r) { return !r.ok; });
}

}  // namespace twostroke

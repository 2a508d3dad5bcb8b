#include "measure/report/metric_summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/philox.h"

namespace twostroke {
namespace {

constexpr size_t kFewestRequests = 20;  // to draw again from
constexpr int kResamples = 200;
constexpr uint64_t kSeed = 1;  // the same numbers for the same file

MetricSummary summarize_sorted(std::string name, const std::vector<double>& sorted) {
  MetricSummary out;
  out.name = std::move(name);
  out.count = static_cast<int64_t>(sorted.size());
  if (sorted.empty()) return out;
  const auto first_failed =
      std::find_if(sorted.begin(), sorted.end(), [](double value) { return std::isinf(value); });
  const std::vector<double> good(sorted.begin(), first_failed);
  out.num_failed = out.count - static_cast<int64_t>(good.size());
  out.median = quantile_of_sorted(sorted, 0.5);
  out.min = sorted.front();
  out.max = sorted.back();
  if (!good.empty()) {
    out.mean = mean_of(good);
    out.stddev = standard_deviation_of(good);
  }
  return out;
}

struct Sample {
  double value;
  size_t request;
};

// The quantile when the i-th request is there weights[i] times: the smallest value with at least
// that share at or below it.
double weighted_quantile(const std::vector<Sample>& sorted, const std::vector<int>& weights,
                         double q) {
  int64_t total = 0;
  for (const Sample& sample : sorted) total += weights[sample.request];
  if (total == 0) return kUnknown;
  const double wanted = q * static_cast<double>(total);
  int64_t seen = 0;
  for (const Sample& sample : sorted) {
    seen += weights[sample.request];
    if (static_cast<double>(seen) >= wanted) return sample.value;
  }
  return sorted.back().value;
}

std::vector<int> draw_requests(size_t count, int round) {
  std::vector<int> weights(count, 0);
  for (size_t i = 0; i < count; ++i) {
    const double draw = philox_uniform(kSeed, static_cast<uint64_t>(round) * count + i);
    ++weights[static_cast<size_t>(draw * static_cast<double>(count))];
  }
  return weights;
}

void add_token_intervals(MetricSummary& out, const std::vector<Sample>& sorted,
                         size_t num_requests) {
  if (num_requests < kFewestRequests) return;
  std::vector<std::vector<double>> drawn(out.percentiles.size());
  for (int round = 0; round < kResamples; ++round) {
    const std::vector<int> weights = draw_requests(num_requests, round);
    for (size_t i = 0; i < drawn.size(); ++i) {
      const double value = weighted_quantile(sorted, weights, out.percentiles[i].q);
      if (!std::isnan(value)) drawn[i].push_back(value);
    }
  }
  for (size_t i = 0; i < drawn.size(); ++i) {
    // As with single samples: nobody knows a percentile that so few requests reach.
    const double share = 1 - std::pow(out.percentiles[i].q, static_cast<double>(num_requests));
    if (drawn[i].empty() || share < 0.95) continue;
    out.percentiles[i].interval = Interval{quantile(drawn[i], 0.025), quantile(drawn[i], 0.975)};
  }
}

}  // namespace

double MetricSummary::percentile(double q) const {
  const auto it = std::find_if(percentiles.begin(), percentiles.end(),
                               [&](const auto& entry) { return std::abs(entry.q - q) < 1e-9; });
  return it == percentiles.end() ? kUnknown : it->value;
}

MetricSummary summarize_requests(std::string name, std::vector<double> values,
                                 const std::vector<double>& percentiles) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  std::sort(values.begin(), values.end());
  MetricSummary out = summarize_sorted(std::move(name), values);
  for (const double q : percentiles) {
    if (values.empty()) break;
    out.percentiles.push_back({q, quantile_of_sorted(values, q), quantile_interval(values, q)});
  }
  return out;
}

MetricSummary summarize_tokens(std::string name, const std::vector<std::vector<double>>& by_request,
                               const std::vector<double>& percentiles) {
  std::vector<Sample> samples;
  size_t num_requests = 0;
  for (const std::vector<double>& request : by_request) {
    if (request.empty()) continue;
    for (const double value : request) samples.push_back({value, num_requests});
    ++num_requests;
  }
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.value < b.value; });
  std::vector<double> values;
  values.reserve(samples.size());
  for (const Sample& sample : samples) values.push_back(sample.value);
  MetricSummary out = summarize_sorted(std::move(name), values);
  if (values.empty()) return out;
  for (const double q : percentiles) {
    out.percentiles.push_back({q, quantile_of_sorted(values, q), std::nullopt});
  }
  add_token_intervals(out, samples, num_requests);
  return out;
}

}  // namespace twostroke

#include "measure/outside/outside_report.h"

#include <algorithm>
#include <cmath>

#include "measure/outside/outside_findings.h"
#include "measure/statistics/paired.h"

namespace twostroke {
namespace {

struct RoundLine {
  double fixed = 0;
  double slope = 0;
  double bend = 1;
};

// A second sending must save this share to count as reuse: chance and warm caches save a little.
constexpr double kReuseShare = 0.25;

// Weighted by 1 / y^2: a long prompt's noise must not drown the short ones.
std::optional<RoundLine> fit(std::vector<XY> points) {
  std::ranges::sort(points, {}, &XY::x);
  std::erase_if(points, [](const XY& p) { return !(p.y > 0) || !std::isfinite(p.y); });
  if (points.size() < 2 || points.front().x == points.back().x) return std::nullopt;
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  for (const XY& p : points) {
    const double weight = 1 / (p.y * p.y);
    w += weight;
    wx += weight * p.x;
    wy += weight * p.y;
    wxx += weight * p.x * p.x;
    wxy += weight * p.x * p.y;
  }
  RoundLine line;
  line.slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  line.fixed = (wy - line.slope * wx) / w;
  const size_t n = points.size();
  const double first = (points[1].y - points[0].y) / (points[1].x - points[0].x);
  const double last = (points[n - 1].y - points[n - 2].y) / (points[n - 1].x - points[n - 2].x);
  line.bend = n > 2 && first > 0 && std::isfinite(first) && std::isfinite(last) ? last / first : 1;
  return line;
}

OutsideEstimate estimate_of(const std::vector<double>& values) {
  if (values.size() < 2) return {.value = values.empty() ? 0 : values[0], .interval = {}};
  const PairedEffect effect = paired_effect(values);
  return {.value = effect.mean, .interval = effect.interval};
}

std::optional<LineFit> prefill_line(const ProbeData& data) {
  std::vector<std::vector<XY>> rounds;
  for (const auto& round : data.prompts) {
    rounds.emplace_back();
    for (const PromptPoint& point : round) {
      rounds.back().push_back({static_cast<double>(point.prompt_tokens), point.ttft_ms});
    }
  }
  return fit_rounds(rounds);
}

std::optional<LineFit> decode_line(const ProbeData& data) {
  std::vector<std::vector<XY>> rounds;
  for (const auto& round : data.outputs) {
    rounds.emplace_back();
    for (const OutputPoint& point : round) {
      if (point.output_tokens < 2) continue;
      rounds.back().push_back({static_cast<double>(point.output_tokens - 1), point.decode_ms});
    }
  }
  return fit_rounds(rounds);
}

std::optional<OutsideEstimate> overhead(const ProbeData& data) {
  std::vector<double> per_round;
  for (const auto& round : data.prompts) {
    std::vector<double> rest;
    for (const PromptPoint& point : round) {
      if (point.told_prefill_ms >= 0) rest.push_back(point.ttft_ms - point.told_prefill_ms);
    }
    if (rest.empty()) return std::nullopt;
    per_round.push_back(quantile(rest, 0.5));
  }
  if (per_round.empty()) return std::nullopt;
  return estimate_of(per_round);
}

void judge_cache(const ProbeData& data, OutsideReport& report) {
  std::vector<double> saved;
  double cached = 0;
  double prompt = 0;
  for (const CachePair& pair : data.cache) {
    if (!(pair.first_ms > 0) || !std::isfinite(pair.first_ms) || !std::isfinite(pair.again_ms)) {
      continue;
    }
    saved.push_back(1 - pair.again_ms / pair.first_ms);
    if (pair.again_cached_tokens >= 0) {
      cached += static_cast<double>(pair.again_cached_tokens);
      prompt += static_cast<double>(pair.prompt_tokens);
    }
  }
  if (prompt > 0) report.cached_share = cached / prompt;
  if (saved.size() < 2) return;
  report.cache_saves = estimate_of(saved);
  const Interval& interval = *report.cache_saves->interval;
  if (interval.low > 0 && report.cache_saves->value >= kReuseShare) {
    report.cache = CacheAnswer::kReuses;
  } else if (interval.high < kReuseShare) {
    report.cache = CacheAnswer::kDoesNot;
  }
}

void count_chunks(const ProbeData& data, OutsideReport& report) {
  int64_t tokens = 0;
  int64_t chunks = 0;
  for (const auto& round : data.outputs) {
    for (const OutputPoint& point : round) {
      tokens += point.output_tokens;
      chunks += point.chunks;
    }
  }
  if (chunks > 0)
    report.tokens_per_chunk = static_cast<double>(tokens) / static_cast<double>(chunks);
}

// Those that had their first token before anybody of the burst was done.
int served_at_once(const Burst& burst) {
  const double first_done = *std::ranges::min_element(burst.e2el_ms);
  return static_cast<int>(std::ranges::count_if(
      burst.ttft_ms, [first_done](double ttft) { return ttft < first_done; }));
}

void look_at_bursts(const ProbeData& data, OutsideReport& report) {
  for (size_t k = 0; !data.bursts.empty() && k < data.bursts[0].size(); ++k) {
    std::vector<double> ttft, tpot, rate, at_once;
    for (const auto& round : data.bursts) {
      if (k >= round.size() || round[k].e2el_ms.empty()) continue;
      const Burst& burst = round[k];
      ttft.insert(ttft.end(), burst.ttft_ms.begin(), burst.ttft_ms.end());
      tpot.insert(tpot.end(), burst.tpot_ms.begin(), burst.tpot_ms.end());
      rate.push_back(burst.output_tokens_per_s);
      at_once.push_back(served_at_once(burst));
    }
    if (ttft.empty() || tpot.empty()) continue;
    report.concurrency.push_back({.concurrency = data.bursts[0][k].concurrency,
                                  .ttft_ms = quantile(ttft, 0.5),
                                  .tpot_ms = quantile(tpot, 0.5),
                                  .output_tokens_per_s = quantile(rate, 0.5),
                                  .served_at_once = static_cast<int>(quantile(at_once, 0.5))});
  }
  if (report.concurrency.empty()) return;
  const auto& most = report.concurrency.back();
  if (most.served_at_once < most.concurrency) report.slots = std::max(1, most.served_at_once);
}

}  // namespace

std::optional<LineFit> fit_rounds(const std::vector<std::vector<XY>>& rounds) {
  std::vector<double> fixed, slope, bend;
  for (const std::vector<XY>& round : rounds) {
    const std::optional<RoundLine> line = fit(round);
    if (!line) return std::nullopt;
    fixed.push_back(line->fixed);
    slope.push_back(line->slope);
    bend.push_back(line->bend);
  }
  if (fixed.empty()) return std::nullopt;
  return LineFit{estimate_of(fixed), estimate_of(slope), quantile(bend, 0.5)};
}

OutsideReport outside_report(const ProbeData& data) {
  OutsideReport report;
  report.url = data.url;
  report.model = data.model;
  report.software = data.software;
  report.problems = data.problems;
  if (!data.round_trip_ms.empty()) report.round_trip_ms = quantile(data.round_trip_ms, 0.5);
  report.prefill = prefill_line(data);
  report.overhead_ms = overhead(data);
  report.decode = decode_line(data);
  count_chunks(data, report);
  judge_cache(data, report);
  look_at_bursts(data, report);
  add_outside_findings(report);
  return report;
}

}  // namespace twostroke

#include "measure/decide/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {
namespace {

double geometric_mean(std::span<const Block> blocks, ArmRun Block::*side, Metric metric) {
  double sum = 0;
  for (const Block& block : blocks) sum += std::log(run_statistic(block.*side, metric));
  return std::exp(sum / static_cast<double>(blocks.size()));
}

std::vector<MetricRow> metric_rows(std::span<const Block> blocks, const ComparisonRules& rules) {
  std::vector<MetricRow> rows;
  for (int i = 0; i < kNumMetrics; ++i) {
    const auto metric = static_cast<Metric>(i);
    const std::vector<double> ratios = log_ratios(blocks, metric);
    if (ratios.empty()) continue;
    MetricRow row;
    row.metric = metric;
    row.is_primary = metric == rules.ttft_metric || metric == Metric::kTpotMean;
    row.a = geometric_mean(blocks, &Block::a, metric);
    row.b = geometric_mean(blocks, &Block::b, metric);
    row.effect = paired_effect(ratios);
    row.p_value = sign_flip_test(ratios, rules.decision.seed).p_value;
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(
      rows, [](const MetricRow& x, const MetricRow& y) { return x.is_primary && !y.is_primary; });
  return rows;
}

std::vector<double> pooled(std::span<const Block> blocks, ArmRun Block::*side,
                           double RequestSample::*time) {
  std::vector<double> values;
  for (const Block& block : blocks) {
    for (const RequestSample& request : (block.*side).requests) {
      if (std::isfinite(request.*time)) values.push_back(request.*time);
    }
  }
  std::ranges::sort(values);
  std::vector<double> quantiles;
  for (int i = 0; i <= 100 && !values.empty(); ++i) {
    quantiles.push_back(quantile_of_sorted(values, i / 100.0));
  }
  return quantiles;
}

std::vector<double> per_block(std::span<const Block> blocks, ArmRun Block::*side, Metric metric) {
  std::vector<double> values;
  for (const Block& block : blocks) values.push_back(run_statistic(block.*side, metric));
  return values;
}

TextAgreement agreement(std::span<const Block> blocks) {
  TextAgreement texts;
  for (const Block& block : blocks) {
    const size_t n = std::min(block.a.requests.size(), block.b.requests.size());
    for (size_t i = 0; i < n; ++i) {
      const uint64_t a = block.a.requests[i].text_hash;
      const uint64_t b = block.b.requests[i].text_hash;
      if (a == 0 || b == 0) continue;
      ++texts.compared;
      texts.equal += a == b ? 1 : 0;
    }
  }
  return texts;
}

struct CacheUse {
  int64_t cached = 0;
  int64_t prompt = 0;
  bool is_known = false;
};
CacheUse cache_use(std::span<const Block> blocks, ArmRun Block::*side) {
  CacheUse use;
  for (const Block& block : blocks) {
    for (const RequestSample& request : (block.*side).requests) {
      if (request.cached_tokens < 0 || request.prompt_tokens <= 0) continue;
      use.is_known = true;
      use.cached += request.cached_tokens;
      use.prompt += request.prompt_tokens;
    }
  }
  return use;
}

void count_requests(std::span<const Block> blocks, Comparison& out) {
  for (const Block& block : blocks) {
    for (const ArmRun* run : {&block.a, &block.b}) {
      out.num_requests += static_cast<int64_t>(run->requests.size());
      out.num_failed += count_failed(*run);
      for (const RequestSample& request : run->requests) {
        if (request.ok) out.output_lengths.push_back(request.output_tokens);
      }
    }
  }
  std::ranges::sort(out.output_lengths);
}

void note_what_matters(std::span<const Block> blocks, Comparison& out) {
  if (out.num_blocks == 1 && !out.rules.decision.run_noise) {
    out.notes.push_back(
        "One run of each side: the noise between runs is not in them, so there are differences but "
        "no verdict. Compare live servers, several runs, or state the noise (--run-noise).");
  } else if (out.num_blocks > 1 && out.num_blocks < 7) {
    out.notes.push_back(fmt::format(
        "{} blocks can show equivalence but, with both phases tested, no difference: that takes 7.",
        out.num_blocks));
  }
  const CacheUse a = cache_use(blocks, &Block::a);
  const CacheUse b = cache_use(blocks, &Block::b);
  const auto percent = [](const CacheUse& use) {
    return use.is_known ? 100.0 * static_cast<double>(use.cached) / static_cast<double>(use.prompt)
                        : 0.0;
  };
  if (percent(a) >= 1 || percent(b) >= 1) {
    out.notes.push_back(
        fmt::format("Prompt tokens found in a prefix cache: A {:.1f} %, B {:.1f} %. TTFT is partly "
                    "the cache's.",
                    percent(a), percent(b)));
  }
  if (out.num_failed > 0) {
    out.notes.push_back(fmt::format("{} of {} requests failed and count as infinitely slow.",
                                    out.num_failed, out.num_requests));
  }
  if (out.texts.compared > out.texts.equal) {
    out.notes.push_back(fmt::format("{} of {} answers differ in text between A and B.",
                                    out.texts.compared - out.texts.equal, out.texts.compared));
  }
  if (out.even && out.even->exists && !out.output_lengths.empty() &&
      out.even->tokens > static_cast<double>(out.output_lengths.back())) {
    out.notes.push_back(fmt::format(
        "The break-even length is beyond the longest answer that was measured ({} tokens): it is "
        "extrapolated. Measure longer answers to be sure.",
        out.output_lengths.back()));
  }
  if (!out.decision.tpot.measured) {
    out.notes.push_back("No decode was measured: answers have one token, or came in one chunk.");
  }
  for (const auto& calibration : {out.ttft_calibration, out.tpot_calibration}) {
    if (calibration && calibration->num_blocks >= 6 && calibration->p_value <= 0.05) {
      out.notes.push_back(
          "A against A differed as well: the machine or the method favours one place in a block. "
          "Trust this comparison less.");
      break;
    }
  }
}

std::optional<NoiseCalibration> calibration_of(std::span<const Block> blocks, Metric metric,
                                               int planned, const DecisionRules& rules) {
  const std::vector<double> ratios = log_ratios(blocks, metric);
  if (ratios.size() < 2) return std::nullopt;
  return calibrate_noise(ratios, planned, rules);
}

}  // namespace

double percent_of(double log_ratio) {
  return 100 * std::expm1(log_ratio);
}

Comparison compare_blocks(std::span<const Block> blocks, std::span<const Block> calibration,
                          const ComparisonRules& rules) {
  CHECK(!blocks.empty());
  Comparison out;
  out.rules = rules;
  out.num_blocks = static_cast<int>(blocks.size());
  count_requests(blocks, out);
  out.ttft_log_ratios = log_ratios(blocks, rules.ttft_metric);
  out.tpot_log_ratios = log_ratios(blocks, Metric::kTpotMean);
  out.decision = decide(out.ttft_log_ratios, out.tpot_log_ratios, rules.decision);
  out.ttft_plan = plan_for(out.decision.ttft, rules.decision);
  out.tpot_plan = plan_for(out.decision.tpot, rules.decision);
  out.metrics = metric_rows(blocks, rules);
  out.ttft_calibration =
      calibration_of(calibration, rules.ttft_metric, out.num_blocks, rules.decision);
  out.tpot_calibration =
      calibration_of(calibration, Metric::kTpotMean, out.num_blocks, rules.decision);
  if (out.decision.joint == JointVerdict::kTradeOff && blocks.size() >= 2) {
    out.even = break_even(per_block(blocks, &Block::a, rules.ttft_metric),
                          per_block(blocks, &Block::b, rules.ttft_metric),
                          per_block(blocks, &Block::a, Metric::kTpotMean),
                          per_block(blocks, &Block::b, Metric::kTpotMean), out.output_lengths);
  }
  if (rules.slo.is_set()) out.goodput = compare_goodput(blocks, rules.slo, rules.decision.seed);
  out.map = slo_map(blocks);
  out.ttft = {pooled(blocks, &Block::a, &RequestSample::ttft_ms),
              pooled(blocks, &Block::b, &RequestSample::ttft_ms)};
  out.tpot = {pooled(blocks, &Block::a, &RequestSample::tpot_ms),
              pooled(blocks, &Block::b, &RequestSample::tpot_ms)};
  out.texts = agreement(blocks);
  note_what_matters(blocks, out);
  return out;
}

}  // namespace twostroke

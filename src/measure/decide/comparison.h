// Everything a comparison says, from blocks: plain data, ready to be printed as text, JSON or a
// page.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measure/decide/break_even.h"
#include "measure/decide/goodput.h"
#include "measure/decide/samples.h"
#include "measure/decide/verdict.h"

namespace twostroke {

struct ComparisonRules {
  DecisionRules decision;
  Metric ttft_metric = Metric::kTtftP50;  // the primary of prefill; that of decode is mean TPOT
  SloLimits slo;
};

// One row of the table of metrics. Values are geometric means over blocks, so that b / a is the
// ratio of the interval.
struct MetricRow {
  Metric metric = Metric::kTtftP50;
  bool is_primary = false;
  double a = 0;
  double b = 0;
  PairedEffect effect;  // of ln(B / A)
  double p_value = 1;   // not corrected for looking at many
};

// For a distribution's plot: 101 quantiles of all requests of a side, pooled over blocks.
struct PooledQuantiles {
  std::vector<double> a;
  std::vector<double> b;
};

// Answers that both sides gave to the same request, where texts were kept.
struct TextAgreement {
  int64_t compared = 0;
  int64_t equal = 0;
};

struct Comparison {
  std::string name_a = "A";
  std::string name_b = "B";
  std::string model_a;
  std::string model_b;
  std::string load;  // what was asked of both, in words
  ComparisonRules rules;

  int num_blocks = 0;
  int64_t num_requests = 0;  // both sides, all blocks
  int64_t num_failed = 0;
  Decision decision;
  PhasePlan ttft_plan;
  PhasePlan tpot_plan;
  std::vector<double> ttft_log_ratios;  // per block
  std::vector<double> tpot_log_ratios;
  std::vector<MetricRow> metrics;  // those that every block has
  std::optional<NoiseCalibration> ttft_calibration;
  std::optional<NoiseCalibration> tpot_calibration;
  std::optional<BreakEven> even;  // for a trade-off
  std::optional<Goodput> goodput;
  SloMap map;
  PooledQuantiles ttft;
  PooledQuantiles tpot;
  std::vector<int64_t> output_lengths;  // of the workload, sorted
  TextAgreement texts;
  std::vector<std::string> notes;  // what a reader must know
};

// REQUIRES: at least one block. Calibration blocks are A against A; none: not calibrated.
Comparison compare_blocks(std::span<const Block> blocks, std::span<const Block> calibration,
                          const ComparisonRules& rules);

// B's share of the difference in words: ln ratio → "12.3 % less".
double percent_of(double log_ratio);

}  // namespace twostroke

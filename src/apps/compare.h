// `twostroke compare A B`: two servers, two commands that start servers, or two result files.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "apps/runs_db.h"
#include "base/result.h"
#include "measure/decide/capacity.h"
#include "measure/decide/comparison.h"
#include "measure/load_config.h"

namespace twostroke {

struct CompareOptions {
  std::string a;
  std::string b;
  LoadConfig load;  // of one run; its server and seed are set run by run
  int blocks = 10;
  int calibration_blocks = 6;
  double margin_percent = 2;
  double alpha_percent = 5;
  std::string ttft_statistic = "p50";
  std::vector<std::string> slo;  // "ttft:500", "tpot:50", "e2el:3000", milliseconds
  bool capacity = false;
  double capacity_target_percent = 95;
  double run_noise_percent = 0;  // 0: not known
  bool restart = false;
  int start_timeout_s = 120;
  int invalid_retries = 2;
  double max_lag_ms = 10;  // of the client, p99; a run beyond it is invalid
  uint64_t seed = 1;
  std::string html;  // file to write; empty: none
  bool json = false;
  bool exit_zero = false;
  std::string label;
  RunsDbOptions db;
};

// Exit codes beside 0 (B dominates or is equivalent), 1 (failed) and 2 (wrong usage).
constexpr int kExitDominated = 3;
constexpr int kExitTradeOff = 4;
constexpr int kExitUndetermined = 5;
int exit_code_of(JointVerdict verdict);

int run_compare(const CompareOptions& options);

// "ttft:500" and so on; kInvalidArgument with what was expected.
Result<SloLimits> parse_slo_limits(const std::vector<std::string>& limits);
Result<ComparisonRules> comparison_rules(const CompareOptions& options);

// Prints, writes and saves what was found; returns the exit code.
int deliver_comparison(const Comparison& comparison, const std::vector<Block>& blocks,
                       const std::optional<Capacity>& capacity_a,
                       const std::optional<Capacity>& capacity_b, const CompareOptions& options);

struct LiveComparison {
  Comparison comparison;
  std::vector<Block> blocks;
  std::optional<Capacity> capacity_a;
  std::optional<Capacity> capacity_b;
};
Result<LiveComparison> compare_live(const CompareOptions& options, const ComparisonRules& rules,
                                    const std::atomic<bool>& interrupted);

}  // namespace twostroke

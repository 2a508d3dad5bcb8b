#include "apps/compare.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "apps/report.h"
#include "measure/decide/client_samples.h"

namespace twostroke {
namespace {

std::atomic<bool> interrupted{false};
void on_interrupt(int) {
  interrupted = true;
}

bool is_result_file(const std::string& text) {
  std::error_code failure;
  return std::filesystem::is_regular_file(text, failure) && text.find("://") == std::string::npos;
}

// Files hold runs; the n-th of one is paired with the n-th of the other.
Result<LiveComparison> compare_files(const CompareOptions& options, const ComparisonRules& rules) {
  std::vector<ArmRun> a = TRY(read_result_runs(options.a));
  std::vector<ArmRun> b = TRY(read_result_runs(options.b));
  if (a.size() != b.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} has {} runs and {} has {}: runs are compared in pairs", options.a,
                             a.size(), options.b, b.size()),
                 "file"};
  }
  LiveComparison live;
  for (size_t i = 0; i < a.size(); ++i) {
    Block block;
    block.a = std::move(a[i]);
    block.b = std::move(b[i]);
    live.blocks.push_back(std::move(block));
  }
  live.comparison = compare_blocks(live.blocks, {}, rules);
  live.comparison.name_a = options.a;
  live.comparison.name_b = options.b;
  live.comparison.load = "from files, run by run";
  if (live.blocks.size() > 1) {
    live.comparison.notes.emplace_back(
        "Runs are paired in the order of the files. The test is exact only if each pair was "
        "measured "
        "in random order under the same load, as compare does with live servers.");
  }
  return live;
}

Result<LiveComparison> compare(const CompareOptions& options, const ComparisonRules& rules) {
  const bool a_is_file = is_result_file(options.a);
  const bool b_is_file = is_result_file(options.b);
  if (a_is_file != b_is_file) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is a file and '{}' is not: compare two of a kind",
                             a_is_file ? options.a : options.b, a_is_file ? options.b : options.a),
                 "compare"};
  }
  if (a_is_file) return compare_files(options, rules);
  return compare_live(options, rules, interrupted);
}

}  // namespace

int exit_code_of(JointVerdict verdict) {
  switch (verdict) {
    case JointVerdict::kDominates:
    case JointVerdict::kEquivalent:
      return 0;
    case JointVerdict::kDominated:
      return kExitDominated;
    case JointVerdict::kTradeOff:
      return kExitTradeOff;
    case JointVerdict::kUndetermined:
      return kExitUndetermined;
  }
  return kExitUndetermined;
}

Result<SloLimits> parse_slo_limits(const std::vector<std::string>& limits) {
  SloLimits slo;
  for (const std::string& limit : limits) {
    const size_t colon = limit.find(':');
    const std::string name = limit.substr(0, colon);
    double ms = 0;
    const char* begin =
        limit.data() +
        std::min(limit.size(), colon == std::string::npos ? limit.size() : colon + 1);
    const char* end = limit.data() + limit.size();
    const auto [stopped, failure] = std::from_chars(begin, end, ms);
    const bool is_number =
        failure == std::errc() && stopped == end && begin != end && std::isfinite(ms) && ms > 0;
    std::optional<double>* target = name == "ttft"   ? &slo.ttft_ms
                                    : name == "tpot" ? &slo.tpot_ms
                                    : name == "e2el" ? &slo.e2el_ms
                                                     : nullptr;
    if (!is_number || target == nullptr) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("slo: expected ttft:MS, tpot:MS or e2el:MS with MS above 0, found "
                               "'{}'",
                               limit),
                   "slo"};
    }
    *target = ms;
  }
  return slo;
}

Result<ComparisonRules> comparison_rules(const CompareOptions& options) {
  ComparisonRules rules;
  rules.decision.alpha = options.alpha_percent / 100;
  rules.decision.margin = options.margin_percent / 100;
  rules.decision.seed = options.seed;
  if (options.run_noise_percent > 0) {
    rules.decision.run_noise = std::log1p(options.run_noise_percent / 100);
  }
  if (options.ttft_statistic == "p95") rules.ttft_metric = Metric::kTtftP95;
  if (options.ttft_statistic == "mean") rules.ttft_metric = Metric::kTtftMean;
  rules.slo = TRY(parse_slo_limits(options.slo));
  if (options.capacity && !rules.slo.is_set()) {
    return Error{ErrorCode::kInvalidArgument,
                 "capacity is the highest load that keeps limits: give them with --slo", "slo"};
  }
  return rules;
}

int run_compare(const CompareOptions& options) {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const Result<ComparisonRules> rules = comparison_rules(options);
  if (!rules.ok()) {
    report_failure(rules.error());
    return 2;
  }
  const Result<LiveComparison> live = compare(options, *rules);
  if (!live.ok()) return report_failure(live.error());
  return deliver_comparison(live->comparison, live->blocks, live->capacity_a, live->capacity_b,
                            options);
}

}  // namespace twostroke

// `twostroke runs compare A B`: from the history to a verdict, without measuring anything.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "apps/compare.h"
#include "apps/report.h"
#include "apps/runs.h"
#include "measure/decide/client_samples.h"

namespace twostroke {
namespace {

constexpr int64_t kMaxRunsOfALabel = 1000;

// "12" or "3,5,8"; nothing when the text is something else: a label.
std::optional<std::vector<int64_t>> ids_in(std::string_view text) {
  std::vector<int64_t> ids;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (true) {
    int64_t id = 0;
    const auto [stopped, failure] = std::from_chars(at, end, id);
    if (failure != std::errc()) return std::nullopt;
    ids.push_back(id);
    if (stopped == end) return ids;
    if (*stopped != ',') return std::nullopt;
    at = stopped + 1;
  }
}

Result<std::vector<int64_t>> ids_of(RunHistory& history, const std::string& side) {
  if (std::optional<std::vector<int64_t>> ids = ids_in(side)) return std::move(*ids);
  std::vector<int64_t> ids;
  RunFilter filter;
  filter.kind = "load";
  filter.label = side;
  filter.limit = kMaxRunsOfALabel;
  for (const StoredRun& run : TRY(history.list(filter))) ids.push_back(run.id);
  std::ranges::reverse(ids);  // in the order they were made
  if (!ids.empty()) return ids;
  return Error{ErrorCode::kNotFound,
               fmt::format("'{}' is neither a run's number nor the label of a load run", side),
               "runs"};
}

Result<ArmRun> arm_of(RunHistory& history, int64_t id) {
  const StoredRun stored = TRY(history.find(id));
  if (stored.kind != "load" || stored.request_json.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("run {} is of kind {} with {} requests: only load runs with requests "
                             "can be compared",
                             id, stored.kind, stored.request_json.size()),
                 "runs"};
  }
  ArmRun run;
  for (const std::string& text : stored.request_json) {
    run.requests.push_back(sample_from_row(TRY(parse_json_text(text))));
  }
  run.duration_s = stored.summary.duration_s.value_or(0);
  return run;
}

Result<LiveComparison> compare_stored(const RunsOptions& options, const ComparisonRules& rules) {
  const std::string path = TRY(runs_db_path(options.db));
  RunHistory history = TRY(RunHistory::open(path, false));
  const std::vector<int64_t> a = TRY(ids_of(history, options.a));
  const std::vector<int64_t> b = TRY(ids_of(history, options.b));
  if (a.size() != b.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' has {} runs and '{}' has {}: runs are compared in pairs",
                             options.a, a.size(), options.b, b.size()),
                 "runs"};
  }
  LiveComparison found;
  for (size_t i = 0; i < a.size(); ++i) {
    Block block;
    block.a = TRY(arm_of(history, a[i]));
    block.b = TRY(arm_of(history, b[i]));
    found.blocks.push_back(std::move(block));
  }
  found.comparison = compare_blocks(found.blocks, {}, rules);
  found.comparison.name_a = options.a;
  found.comparison.name_b = options.b;
  found.comparison.load = "from the history, run by run";
  if (a.size() > 1) {
    found.comparison.notes.emplace_back(
        "Runs are paired in the order they were made. The test is exact only if each pair was "
        "measured in random order under the same load, as compare does with live servers.");
  }
  return found;
}

}  // namespace

int compare_runs(const RunsOptions& options) {
  CompareOptions compare;
  compare.margin_percent = options.margin_percent;
  compare.run_noise_percent = options.run_noise_percent;
  compare.html = options.html;
  compare.json = options.json;
  compare.db.no_save = true;  // nothing new was measured
  const Result<ComparisonRules> rules = comparison_rules(compare);
  if (!rules.ok()) return report_failure(rules.error());
  const Result<LiveComparison> found = compare_stored(options, *rules);
  if (!found.ok()) return report_failure(found.error());
  return deliver_comparison(found->comparison, found->blocks, {}, {}, compare);
}

}  // namespace twostroke

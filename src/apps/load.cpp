// `twostroke load URL`: load on a server, and what it made of it.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <optional>

#include "apps/load_options.h"
#include "apps/load_progress.h"
#include "apps/report.h"
#include "measure/report/console_table.h"
#include "measure/report/record_json.h"
#include "measure/report/result_files.h"

namespace twostroke {
namespace {

constexpr int kExitInvalid = 3;

// Ctrl-C: the first ends the run and keeps what there is, the second ends the program.
std::atomic<bool> stop_wanted{false};  // NOLINT: a signal handler can reach nothing else

void on_interrupt(int) {
  if (stop_wanted.exchange(true)) std::_Exit(130);
}

std::vector<double> as_shares(const std::vector<double>& percentiles) {
  std::vector<double> shares;
  for (const double percentile : percentiles) shares.push_back(percentile / 100);
  if (std::find(shares.begin(), shares.end(), 0.5) == shares.end()) shares.push_back(0.5);
  std::sort(shares.begin(), shares.end());
  return shares;
}

RunAbout about_of(const LoadOptions& options) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {fmt::format("{:%Y%m%d-%H%M%S}", fmt::localtime(now)), options.label, TWOSTROKE_VERSION};
}

Status save_files(const LoadOptions& options, const RunReport& report) {
  if (!options.save_result.empty()) {
    const std::string text = json_line(result_json(report, options.save_detailed)) + "\n";
    TRY(write_text_file(options.save_result, text));
  }
  if (!options.save_requests.empty()) {
    TRY(write_text_file(options.save_requests, records_jsonl(report.result.records)));
  }
  if (!options.save_csv.empty()) {
    TRY(write_text_file(options.save_csv, records_csv(report.result.records)));
  }
  return {};
}

std::optional<double> known(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void remember(const LoadOptions& options, const RunReport& report) {
  const LoadSummary& summary = report.summary;
  StoredRun run;
  run.kind = "load";
  run.label = options.label;
  run.target = report.config.server.text();
  run.model = report.result.server.model;
  run.summary = {.completed = summary.completed,
                 .failed = summary.failed,
                 .duration_s = summary.duration_s,
                 .ttft_p50_ms = known(summary.ttft.percentile(0.5)),
                 .ttft_p95_ms = known(summary.ttft.percentile(0.95)),
                 .tpot_mean_ms = known(summary.tpot.mean),
                 .itl_p99_ms = known(summary.itl.percentile(0.99)),
                 .output_tokens_per_s = summary.output_throughput};
  Json result = result_json(report, false);
  result.erase("requests");
  run.result_json = json_line(result);
  for (const ClientRecord& record : report.result.records) {
    run.request_json.push_back(json_line(record_json(record)));
  }
  const int64_t id = remember_run(options.db, std::move(run));
  if (id > 0 && !options.json) fmt::print("Kept as run {} (twostroke runs show {})\n", id, id);
}

Result<int> load(const LoadOptions& options) {
  const LoadConfig config = TRY(load_config_of(options));
  std::signal(SIGINT, on_interrupt);
  LoadProgress progress;
  Result<LoadResult> result = [&] {
    const LoadProgressLine line(progress, !options.no_progress);
    return run_load(config, {.progress = &progress, .stop = &stop_wanted});
  }();
  if (!result.ok()) return result.error();
  const LoadSummary summary = summarize(*result, config.slo, as_shares(options.percentiles));
  const std::vector<RunCheck> checks = check_run(config, *result, summary);
  const RunAbout about = about_of(options);
  const RunReport report{config, *result, summary, checks, about};
  if (options.json) {
    fmt::print("{}\n", json_line(result_json(report, options.save_detailed)));
  } else {
    fmt::print("{}", console_table(report, colors_wanted()));
  }
  TRY(save_files(options, report));
  remember(options, report);
  return is_invalid(checks) ? kExitInvalid : 0;
}

}  // namespace

int run_load_command(const LoadOptions& options) {
  const Result<int> exit_code = load(options);
  return exit_code.ok() ? *exit_code : report_failure(exit_code.error());
}

}  // namespace twostroke

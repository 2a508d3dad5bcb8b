#include "apps/runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/report.h"
#include "measure/history/run_export.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string number(const std::optional<double>& value) {
  return value.has_value() ? fmt::format("{:.2f}", *value) : std::string("-");
}

// What fits a column; a terminal's control characters of a stored name stay out of it.
std::string cell(std::string text, size_t width) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  if (text.size() <= width) return text;
  size_t end = width - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "~";
}

Status list_runs(RunHistory& history, const RunsOptions& options) {
  const std::vector<StoredRun> runs = TRY(history.list(options.filter));
  if (options.json) {
    Json out = Json::array();
    for (const StoredRun& run : runs) out.push_back(run_as_json(run, false));
    fmt::print("{}\n", dump(out));
    return {};
  }
  fmt::print("{:>5}  {:<20}  {:<8}  {:<16}  {:<30}  {:>9}  {:>9}  {:>9}  {}\n", "id", "date (UTC)",
             "kind", "label", "target", "TTFT p50", "TPOT mean", "tok/s", "verdict");
  for (const StoredRun& run : runs) {
    fmt::print("{:>5}  {:<20}  {:<8}  {:<16}  {:<30}  {:>9}  {:>9}  {:>9}  {}\n", run.id,
               utc_text(run.created_unix_ms), cell(run.kind, 8), cell(run.label, 16),
               cell(run.target, 30), number(run.summary.ttft_p50_ms),
               number(run.summary.tpot_mean_ms), number(run.summary.output_tokens_per_s),
               cell(run.verdict, 16));
  }
  if (runs.size() == static_cast<size_t>(options.filter.limit)) {
    fmt::print("(the newest {}; --limit shows more)\n", runs.size());
  }
  return {};
}

Status show_run(RunHistory& history, const RunsOptions& options) {
  for (const int64_t id : options.ids) {
    const StoredRun run = TRY(history.find(id));
    if (options.json) {
      fmt::print("{}\n", dump(run_as_json(run, options.requests)));
      continue;
    }
    fmt::print("run {} · {} · {}{}{}\n", run.id, run.kind, utc_text(run.created_unix_ms),
               run.label.empty() ? "" : " · ", cell(run.label, 200));
    fmt::print("  target     {}\n  model      {}\n  twostroke  {}\n", cell(run.target, 400),
               cell(run.model, 200), cell(run.version, 40));
    if (!run.verdict.empty()) fmt::print("  verdict    {}\n", cell(run.verdict, 40));
    fmt::print("  requests   {} completed, {} failed, {} stored one by one\n",
               run.summary.completed, run.summary.failed, run.request_json.size());
    fmt::print(
        "  TTFT       p50 {} ms, p95 {} ms\n  TPOT       mean {} ms\n  ITL        p99 {} ms\n",
        number(run.summary.ttft_p50_ms), number(run.summary.ttft_p95_ms),
        number(run.summary.tpot_mean_ms), number(run.summary.itl_p99_ms));
    fmt::print("  output     {} tokens/s over {} s\n", number(run.summary.output_tokens_per_s),
               number(run.summary.duration_s));
  }
  return {};
}

// Written beside and renamed, so that a full disk does not leave half of an export.
Status write_text(const std::string& path, const std::string& text) {
  if (path.empty()) {
    fmt::print("{}", text);
    return {};
  }
  const std::string partial = path + ".partial";
  {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) return Error{ErrorCode::kIo, fmt::format("cannot write {}", partial), "output"};
  }
  if (std::rename(partial.c_str(), path.c_str()) != 0) {
    return Error{ErrorCode::kIo, fmt::format("cannot write {}", path), "output"};
  }
  return {};
}

Status export_runs(RunHistory& history, const RunsOptions& options) {
  std::vector<int64_t> ids = options.ids;
  if (ids.empty()) {
    for (const StoredRun& run : TRY(history.list(options.filter))) ids.push_back(run.id);
    std::ranges::reverse(ids);  // oldest first
  }
  std::vector<StoredRun> runs;
  for (const int64_t id : ids) runs.push_back(TRY(history.find(id)));
  if (options.format == "csv") {
    return write_text(options.output, options.requests ? requests_as_csv(runs) : runs_as_csv(runs));
  }
  Json out = Json::array();
  for (const StoredRun& run : runs) out.push_back(run_as_json(run, options.requests));
  return write_text(options.output, dump(out) + "\n");
}

Status delete_runs(RunHistory& history, const RunsOptions& options) {
  TRY(history.remove(options.ids));
  fmt::print("deleted {} run{}\n", options.ids.size(), options.ids.size() == 1 ? "" : "s");
  return {};
}

Status runs(const RunsOptions& options) {
  const std::string path = TRY(runs_db_path(options.db));
  Result<RunHistory> opened = RunHistory::open(path, false);
  // Before the first run there is a list, and it is empty.
  if (!opened.ok() && opened.error().code == ErrorCode::kNotFound &&
      options.action == RunsOptions::Action::kList) {
    fmt::print("{}\n", options.json ? "[]" : opened.error().message);
    return {};
  }
  RunHistory history = TRY(std::move(opened));
  switch (options.action) {
    case RunsOptions::Action::kList:
      return list_runs(history, options);
    case RunsOptions::Action::kShow:
      return show_run(history, options);
    case RunsOptions::Action::kCompare:
      break;  // run_runs went another way
    case RunsOptions::Action::kExport:
      return export_runs(history, options);
    case RunsOptions::Action::kDelete:
      return delete_runs(history, options);
  }
  return {};
}

}  // namespace

int run_runs(const RunsOptions& options) {
  if (options.action == RunsOptions::Action::kCompare) return compare_runs(options);
  const Status status = runs(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke

// What comes out of a comparison: console or JSON, the page, the history, the exit code.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/compare.h"
#include "apps/report.h"
#include "measure/decide/comparison_html.h"
#include "measure/decide/comparison_json.h"
#include "measure/decide/comparison_text.h"
#include "measure/history/run_export.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json capacity_json(const std::optional<Capacity>& capacity) {
  if (!capacity) return nullptr;
  Json out;
  out["highest_met_per_s"] = capacity->highest_met_per_s;
  out["lowest_missed_per_s"] = number(capacity->lowest_missed_per_s);
  out["resolved"] = capacity->is_resolved;
  out["runs"] = Json::array();
  for (const CapacityRun& run : capacity->runs) {
    out["runs"].push_back({{"rate_per_s", run.rate_per_s},
                           {"good", run.good},
                           {"total", run.total},
                           {"attainment", {run.attainment.low, run.attainment.high}},
                           {"outcome", outcome_name(run.outcome)}});
  }
  return out;
}

std::string capacity_line(const char* name, const std::optional<Capacity>& capacity,
                          double target_percent) {
  if (!capacity) return "";
  std::string text = fmt::format("capacity of {} ({:g} % within the limits): {:.2f} requests/s",
                                 name, target_percent, capacity->highest_met_per_s);
  if (std::isfinite(capacity->lowest_missed_per_s)) {
    text += fmt::format(", not {:.2f}", capacity->lowest_missed_per_s);
  }
  if (!capacity->is_resolved) text += " (unresolved: more requests per run would narrow it)";
  return text + "\n";
}

Json row_of(const RequestSample& request, size_t block, const char* side) {
  Json row = {{"block", block}, {"side", side}, {"ok", request.ok}};
  row["ttft_ms"] = number(request.ttft_ms);
  row["tpot_ms"] = number(request.tpot_ms);
  row["e2el_ms"] = number(request.e2el_ms);
  row["prompt_tokens"] = request.prompt_tokens;
  row["cached_tokens"] = request.cached_tokens;
  row["output_tokens"] = request.output_tokens;
  return row;
}

StoredRun stored(const Comparison& comparison, const std::vector<Block>& blocks,
                 const std::string& json, const CompareOptions& options) {
  StoredRun run;
  run.kind = "compare";
  run.label = options.label;
  run.target = comparison.name_a + " | " + comparison.name_b;
  run.model = comparison.model_a;
  run.verdict = verdict_name(comparison.decision.joint);
  run.summary.completed = comparison.num_requests - comparison.num_failed;
  run.summary.failed = comparison.num_failed;
  run.result_json = json;
  for (size_t i = 0; i < blocks.size(); ++i) {
    for (const RequestSample& request : blocks[i].a.requests) {
      run.request_json.push_back(row_of(request, i, "A").dump());
    }
    for (const RequestSample& request : blocks[i].b.requests) {
      run.request_json.push_back(row_of(request, i, "B").dump());
    }
  }
  return run;
}

Status write_page(const std::string& path, const Comparison& comparison) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << comparison_html(comparison,
                         fmt::format("{} · twostroke {}", utc_text(unix_ms), TWOSTROKE_VERSION));
  out.close();
  if (!out) return Error{ErrorCode::kIo, fmt::format("cannot write {}", path), "html"};
  return {};
}

}  // namespace

int deliver_comparison(const Comparison& comparison, const std::vector<Block>& blocks,
                       const std::optional<Capacity>& capacity_a,
                       const std::optional<Capacity>& capacity_b, const CompareOptions& options) {
  Json json = comparison_json(comparison);
  json["capacity"] = {{"a", capacity_json(capacity_a)}, {"b", capacity_json(capacity_b)}};
  const int code = options.exit_zero ? 0 : exit_code_of(comparison.decision.joint);
  json["exit_code"] = code;
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  if (options.json) {
    fmt::print("{}\n", text);
  } else {
    fmt::print("{}{}{}", comparison_console(comparison),
               capacity_line("A", capacity_a, options.capacity_target_percent),
               capacity_line("B", capacity_b, options.capacity_target_percent));
  }
  std::fflush(stdout);
  const int64_t id = remember_run(options.db, stored(comparison, blocks, text, options));
  if (id > 0) fmt::print(stderr, "saved as run {}\n", id);
  if (!options.html.empty()) {
    const Status written = write_page(options.html, comparison);
    if (!written.ok()) return report_failure(written.error());
    fmt::print(stderr, "page: {}\n", options.html);
  }
  return code;
}

}  // namespace twostroke

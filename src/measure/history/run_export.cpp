#include "measure/history/run_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

Json parsed_or_text(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

Json number_or_null(const std::optional<double>& number) {
  return number.has_value() ? Json(*number) : Json(nullptr);
}

std::string number_text(const std::optional<double>& number) {
  return number.has_value() ? fmt::format("{}", *number) : std::string();
}

bool is_scalar(const Json& value) {
  return value.is_number() || value.is_boolean() || value.is_string();
}

std::string scalar_text(const Json& value) {
  if (value.is_string()) return csv_field(value.get_ref<const std::string&>());
  return value.dump();
}

}  // namespace

// Days to a civil date by std::chrono, without a time zone or the C library's global state.
std::string utc_text(int64_t unix_ms) {
  using std::chrono::days;
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> time{milliseconds{unix_ms}};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     seconds / 3600, seconds / 60 % 60, seconds % 60);
}

Json run_as_json(const StoredRun& run, bool with_requests) {
  Json out;
  out["id"] = run.id;
  out["created"] = utc_text(run.created_unix_ms);
  out["created_unix_ms"] = run.created_unix_ms;
  out["kind"] = run.kind;
  out["label"] = run.label;
  out["target"] = run.target;
  out["model"] = run.model;
  out["version"] = run.version;
  if (!run.verdict.empty()) out["verdict"] = run.verdict;
  out["completed"] = run.summary.completed;
  out["failed"] = run.summary.failed;
  out["duration_s"] = number_or_null(run.summary.duration_s);
  out["ttft_p50_ms"] = number_or_null(run.summary.ttft_p50_ms);
  out["ttft_p95_ms"] = number_or_null(run.summary.ttft_p95_ms);
  out["tpot_mean_ms"] = number_or_null(run.summary.tpot_mean_ms);
  out["itl_p99_ms"] = number_or_null(run.summary.itl_p99_ms);
  out["output_tokens_per_s"] = number_or_null(run.summary.output_tokens_per_s);
  if (!run.result_json.empty()) out["result"] = parsed_or_text(run.result_json);
  if (with_requests) {
    out["requests"] = Json::array();
    for (const std::string& request : run.request_json) {
      out["requests"].push_back(parsed_or_text(request));
    }
  }
  return out;
}

std::string csv_field(std::string_view text) {
  constexpr std::string_view kFormulaStarts = "=+-@\t\r";
  std::string field;
  if (!text.empty() && kFormulaStarts.find(text.front()) != std::string_view::npos) field = "'";
  field += text;
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string runs_as_csv(std::span<const StoredRun> runs) {
  std::string out =
      "id,created,kind,label,target,model,version,verdict,completed,failed,duration_s,"
      "ttft_p50_ms,ttft_p95_ms,tpot_mean_ms,itl_p99_ms,output_tokens_per_s\n";
  for (const StoredRun& run : runs) {
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", run.id, utc_text(run.created_unix_ms),
        csv_field(run.kind), csv_field(run.label), csv_field(run.target), csv_field(run.model),
        csv_field(run.version), csv_field(run.verdict), run.summary.completed, run.summary.failed,
        number_text(run.summary.duration_s), number_text(run.summary.ttft_p50_ms),
        number_text(run.summary.ttft_p95_ms), number_text(run.summary.tpot_mean_ms),
        number_text(run.summary.itl_p99_ms), number_text(run.summary.output_tokens_per_s));
  }
  return out;
}

std::string requests_as_csv(std::span<const StoredRun> runs) {
  std::vector<std::string> columns;
  std::vector<std::pair<int64_t, Json>> rows;
  for (const StoredRun& run : runs) {
    for (const std::string& text : run.request_json) {
      Json request = Json::parse(text, nullptr, false);
      if (!request.is_object()) continue;
      for (const auto& [key, value] : request.items()) {
        if (is_scalar(value) && std::ranges::find(columns, key) == columns.end()) {
          columns.push_back(key);
        }
      }
      rows.emplace_back(run.id, std::move(request));
    }
  }
  std::string out = "run_id";
  for (const std::string& column : columns) out += "," + csv_field(column);
  out += "\n";
  for (const auto& [id, request] : rows) {
    out += fmt::format("{}", id);
    for (const std::string& column : columns) {
      const auto value = request.find(column);
      out += ",";
      if (value != request.end() && is_scalar(*value)) out += scalar_text(*value);
    }
    out += "\n";
  }
  return out;
}

}  // namespace twostroke

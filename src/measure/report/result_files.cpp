#include "measure/report/result_files.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "measure/report/record_json.h"
#include "measure/workload/text_lines.h"

namespace twostroke {
namespace {

constexpr int kSchemaVersion = 1;

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

// vLLM writes an endless rate as a word.
Json rate_json(const ArrivalConfig& arrival) {
  const bool is_open = arrival.kind == ArrivalKind::kOpenLoop;
  return is_open && std::isfinite(arrival.rate_per_s) ? Json(arrival.rate_per_s) : Json("inf");
}

Json concurrency_json(const ArrivalConfig& arrival) {
  if (arrival.kind == ArrivalKind::kClosedLoop) return arrival.concurrency;
  return arrival.max_in_flight > 0 ? Json(arrival.max_in_flight) : Json();
}

std::string percentile_name(double q) {
  return fmt::format("p{:g}", std::round(q * 1e6) / 1e4);
}

void put_metric(Json& out, const MetricSummary& metric) {
  const std::string key = "_" + metric.name + "_ms";
  out["mean" + key] = number_or_null(metric.mean);
  out["median" + key] = number_or_null(metric.median);
  out["std" + key] = number_or_null(metric.stddev);
  for (const PercentileSummary& entry : metric.percentiles) {
    out[percentile_name(entry.q) + key] = number_or_null(entry.value);
  }
}

Json metric_json(const MetricSummary& metric) {
  Json out = {{"count", metric.count},
              {"failed", metric.num_failed},
              {"mean", number_or_null(metric.mean)},
              {"std", number_or_null(metric.stddev)},
              {"min", number_or_null(metric.min)},
              {"max", number_or_null(metric.max)}};
  for (const PercentileSummary& entry : metric.percentiles) {
    Json& place = out[percentile_name(entry.q)];
    place["value"] = number_or_null(entry.value);
    place["interval_95"] = entry.interval ? Json::array({number_or_null(entry.interval->low),
                                                         number_or_null(entry.interval->high)})
                                          : Json();
  }
  return out;
}

Json interference_json(const InterferenceSummary& interference) {
  return {{"source", interference.told_by_server ? "server" : "client"},
          {"gaps_alone", interference.num_alone},
          {"gaps_beside_prefill", interference.num_beside_prefill},
          {"itl_alone_ms", number_or_null(interference.alone_ms)},
          {"itl_beside_prefill_ms", number_or_null(interference.beside_prefill_ms)},
          {"itl_alone_p99_ms", number_or_null(interference.alone_p99_ms)},
          {"itl_beside_prefill_p99_ms", number_or_null(interference.beside_prefill_p99_ms)},
          {"worst_stall_ms", number_or_null(interference.worst_ms)},
          {"factor", number_or_null(interference.factor)}};
}

Json own_json(const RunReport& report) {
  const LoadSummary& summary = report.summary;
  Json checks = Json::array();
  for (const RunCheck& check : report.checks) {
    checks.push_back({{"level", check_level_name(check.level)},
                      {"name", check.name},
                      {"message", check.message}});
  }
  Json metrics = Json::object();
  for (const MetricSummary* metric :
       {&summary.ttft, &summary.tpot, &summary.itl, &summary.icl, &summary.e2el,
        &summary.ttft_from_schedule, &summary.e2el_from_schedule, &summary.client_queue,
        &summary.queue, &summary.prefill}) {
    if (metric->count > 0) metrics[metric->name] = metric_json(*metric);
  }
  Json formulas = Json::object();
  for (const MetricFormula& formula : kMetricFormulas) {
    formulas[std::string(formula.name)] = formula.formula;
  }
  Json failures = Json::object();
  for (const auto& [kind, count] : summary.failures) failures[kind] = count;
  const auto& attainment = summary.attainment;
  return {
      {"schema_version", kSchemaVersion},
      {"version", report.about.version},
      {"valid", !is_invalid(report.checks)},
      {"checks", std::move(checks)},
      {"config", config_json(report.config)},
      {"length_method", report.result.server.length_method},
      {"stopped", report.result.stopped},
      {"metrics", std::move(metrics)},
      {"formulas", std::move(formulas)},
      {"failures", std::move(failures)},
      {"cached_tokens", summary.cached_tokens < 0 ? Json() : Json(summary.cached_tokens)},
      {"tokens_per_chunk", number_or_null(summary.tokens_per_chunk)},
      {"arrival_rate", summary.arrival_rate},
      {"good_requests", summary.good < 0 ? Json() : Json(summary.good)},
      {"slo_attainment_95", attainment ? Json::array({attainment->low, attainment->high}) : Json()},
      {"interference", interference_json(summary.interference)},
      {"client",
       {{"loop_lag_p99_ms", report.result.client.loop_lag_p99_ms},
        {"loop_lag_max_ms", report.result.client.loop_lag_max_ms},
        {"cpu_fraction", report.result.client.cpu_fraction}}}};
}

// vLLM's lists: seconds, and zero for what failed.
void put_details(Json& out, const std::vector<ClientRecord>& records) {
  Json lists = Json::object();
  for (const char* key : {"input_lens", "output_lens", "ttfts", "itls", "start_times",
                          "generated_texts", "errors", "latencies", "queue_times"}) {
    lists[key] = Json::array();
  }
  const auto seconds = [](double ms) { return std::isfinite(ms) ? ms / 1e3 : 0.0; };
  for (const ClientRecord& record : records) {
    const ClientMetrics metrics = metrics_of(record);
    lists["input_lens"].push_back(std::max(0, record.prompt_tokens));
    lists["output_lens"].push_back(record.ok() ? record.output_tokens : 0);
    lists["ttfts"].push_back(seconds(metrics.ttft_ms));
    Json itls = Json::array();
    for (const double gap : icl_ms(record)) itls.push_back(gap / 1e3);
    lists["itls"].push_back(std::move(itls));
    lists["start_times"].push_back(static_cast<double>(record.sent_ns) / 1e9);
    lists["generated_texts"].push_back(record.text);
    lists["errors"].push_back(record.error);
    lists["latencies"].push_back(seconds(metrics.e2el_ms));
    lists["queue_times"].push_back(seconds(metrics.client_queue_ms));
  }
  out.update(lists);
}

Result<std::vector<ClientRecord>> records_from(const Json& list, const std::string& path) {
  std::vector<ClientRecord> records;
  for (const Json& entry : list) {
    auto record = record_from_json(entry);
    if (!record.ok()) {
      return Error{record.error().code,
                   fmt::format("{}: request {}: {}", path, records.size(), record.error().message),
                   record.error().field};
    }
    records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace

Json result_json(const RunReport& report, bool detailed) {
  const LoadSummary& summary = report.summary;
  const LoadConfig& config = report.config;
  const bool chat = config.endpoint == ApiEndpoint::kChat;
  const ArrivalConfig& arrival = config.arrival;
  Json out = {
      {"date", report.about.date},
      {"endpoint_type", chat ? "openai-chat" : "openai"},
      {"backend", chat ? "openai-chat" : "openai"},
      {"label", report.about.label.empty() ? Json() : Json(report.about.label)},
      {"model_id", report.result.server.model},
      {"tokenizer_id", report.result.server.model},
      {"num_prompts", summary.planned},
      {"request_rate", rate_json(arrival)},
      {"burstiness", std::isfinite(arrival.burstiness) ? Json(arrival.burstiness) : Json("inf")},
      {"max_concurrency", concurrency_json(arrival)},
      {"duration", summary.duration_s},
      {"completed", summary.completed},
      {"failed", summary.failed},
      {"total_input_tokens", summary.input_tokens},
      {"total_output_tokens", summary.output_tokens},
      {"request_throughput", summary.request_throughput},
      {"request_goodput", number_or_null(summary.goodput)},
      {"output_throughput", summary.output_throughput},
      {"total_token_throughput", summary.total_token_throughput},
      {"max_output_tokens_per_s", summary.peak_output_per_s},
      {"max_concurrent_requests", summary.peak_in_flight},
      {"rtfx", 0.0}};
  for (const MetricSummary* metric : {&summary.ttft, &summary.tpot, &summary.itl, &summary.e2el}) {
    put_metric(out, *metric);
  }
  if (detailed) put_details(out, report.result.records);
  out["twostroke"] = own_json(report);
  Json requests = Json::array();
  for (const ClientRecord& record : report.result.records) requests.push_back(record_json(record));
  out["requests"] = std::move(requests);
  return out;
}

Result<LoadResult> read_result(const std::string& path) {
  const std::string text = TRY(read_text_file(path));
  LoadResult result;
  auto whole = parse_json_text(text);
  if (whole.ok() && json_member(*whole, "requests").is_array()) {
    result.records = TRY(records_from((*whole)["requests"], path));
    result.duration_ns = std::llround(json_number(*whole, "duration", 0) * 1e9);
    result.server.model = json_string(*whole, "model_id");
    const Json& own = json_member(*whole, "twostroke");
    result.server.length_method = json_string(own, "length_method");
    result.stopped = json_member(own, "stopped") == Json(true);
    const Json& client = json_member(own, "client");
    result.client = {json_number(client, "loop_lag_p99_ms", 0),
                     json_number(client, "loop_lag_max_ms", 0),
                     json_number(client, "cpu_fraction", 0)};
    return result;
  }
  Json lines = Json::array();
  for (const TextLine& line : text_lines(text)) {
    auto value = parse_json_text(line.text);
    if (!value.ok()) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{}:{}: expected a result of `load` or its requests, a JSON line "
                               "each: {}",
                               path, line.number, value.error().message),
                   "file"};
    }
    lines.push_back(std::move(*value));
  }
  result.records = TRY(records_from(lines, path));
  int64_t first_ns = 0;
  for (const ClientRecord& record : result.records) {
    first_ns = std::min(first_ns, record.sent_ns);
    result.duration_ns = std::max(result.duration_ns, record.done_ns - first_ns);
  }
  return result;
}

Status write_text_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (file) return {};
  return Error{ErrorCode::kIo, fmt::format("cannot write {}: {}", path, std::strerror(errno)),
               "file"};
}

}  // namespace twostroke

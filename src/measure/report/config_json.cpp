// What a run was asked for, as JSON.
#include <cmath>

#include "measure/report/result_files.h"

namespace twostroke {
namespace {

const char* arrival_name(ArrivalKind kind) {
  switch (kind) {
    case ArrivalKind::kClosedLoop:
      return "closed_loop";
    case ArrivalKind::kOpenLoop:
      return "open_loop";
    case ArrivalKind::kTrace:
      break;
  }
  return "trace";
}

const char* workload_name(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kSynthetic:
      return "synthetic";
    case WorkloadKind::kFile:
      return "file";
    case WorkloadKind::kPromptShape:
      return "prompt_shape";
    case WorkloadKind::kTrace:
      break;
  }
  return "trace";
}

const char* cache_name(CacheMode mode) {
  switch (mode) {
    case CacheMode::kCold:
      return "cold";
    case CacheMode::kShared:
      return "shared";
    case CacheMode::kAsIs:
      break;
  }
  return "as_is";
}

const char* ramp_name(Ramp ramp) {
  switch (ramp) {
    case Ramp::kNone:
      return "none";
    case Ramp::kLinear:
      return "linear";
    case Ramp::kExponential:
      break;
  }
  return "exponential";
}

Json finite(double value) {
  if (std::isinf(value)) return "inf";
  return std::isnan(value) ? Json() : Json(value);
}

Json arrival_json(const ArrivalConfig& arrival) {
  Json out = {{"kind", arrival_name(arrival.kind)}};
  if (arrival.kind == ArrivalKind::kClosedLoop) {
    out["concurrency"] = arrival.concurrency;
    out["ramp_s"] = arrival.ramp_s;
    out["think_time_s"] = arrival.think_time_s;
    return out;
  }
  out["max_in_flight"] = arrival.max_in_flight;
  if (arrival.kind == ArrivalKind::kTrace) {
    out["time_scale"] = arrival.time_scale;
    return out;
  }
  out["rate_per_s"] = finite(arrival.rate_per_s);
  out["burstiness"] = finite(arrival.burstiness);
  out["ramp"] = ramp_name(arrival.ramp);
  if (arrival.ramp != Ramp::kNone) out["ramp_start_per_s"] = arrival.ramp_start_per_s;
  return out;
}

Json workload_json(const WorkloadConfig& workload) {
  const PromptShape& shape = workload.shape;
  Json out = {{"kind", workload_name(workload.kind)}, {"cache", cache_name(workload.cache)}};
  if (!workload.file.empty()) out["file"] = workload.file;
  if (workload.kind == WorkloadKind::kSynthetic) out["prompt_tokens"] = workload.prompt_tokens;
  out["output_tokens"] = workload.output_tokens;
  out["range_ratio"] = workload.range_ratio;
  out["shared_prefix_tokens"] = workload.shared_prefix_tokens;
  if (workload.kind == WorkloadKind::kPromptShape) {
    out["shape"] = {{"system_tokens", shape.system_tokens},
                    {"history_turns", shape.history_turns},
                    {"history_turn_tokens", shape.history_turn_tokens},
                    {"documents", shape.documents},
                    {"document_tokens", shape.document_tokens},
                    {"tools", shape.tools},
                    {"tool_tokens", shape.tool_tokens},
                    {"schema_tokens", shape.schema_tokens},
                    {"question_tokens", shape.question_tokens}};
  }
  return out;
}

}  // namespace

Json config_json(const LoadConfig& config) {
  const Slo& slo = config.slo;
  return {{"url", config.server.text()},
          {"endpoint", config.endpoint == ApiEndpoint::kChat ? "chat" : "completions"},
          {"requests", config.num_requests},
          {"max_duration_s", config.max_duration_s},
          {"warmup_requests", config.warmup_requests},
          {"seed", config.seed},
          {"arrival", arrival_json(config.arrival)},
          {"workload", workload_json(config.workload)},
          {"ignore_eos", config.ignore_eos},
          {"plain_openai", config.plain_openai},
          {"retries", config.retries},
          {"extra_body", config.extra_body},
          {"slo_ms",
           {{"ttft", finite(slo.ttft_ms)},
            {"tpot", finite(slo.tpot_ms)},
            {"itl", finite(slo.itl_ms)},
            {"e2el", finite(slo.e2el_ms)}}},
          {"timeouts_ms",
           {{"connect", config.http.connect_timeout_ms},
            {"idle", config.http.idle_timeout_ms},
            {"total", config.http.total_timeout_ms}}}};
}

}  // namespace twostroke

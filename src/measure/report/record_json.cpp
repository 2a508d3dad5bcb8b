#include "measure/report/record_json.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "measure/client_metrics.h"

namespace twostroke {
namespace {

struct TimeField {
  const char* key;
  int64_t ClientRecord::*member;
};
constexpr std::array<TimeField, 9> kTimes = {{
    {"scheduled_ms", &ClientRecord::scheduled_ns},
    {"released_ms", &ClientRecord::released_ns},
    {"sent_ms", &ClientRecord::sent_ns},
    {"connected_ms", &ClientRecord::connected_ns},
    {"first_byte_ms", &ClientRecord::first_byte_ns},
    {"first_token_ms", &ClientRecord::first_token_ns},
    {"first_answer_ms", &ClientRecord::first_answer_ns},
    {"last_token_ms", &ClientRecord::last_token_ns},
    {"done_ms", &ClientRecord::done_ns},
}};

struct CountField {
  const char* key;
  int ClientRecord::*member;
};
constexpr std::array<CountField, 8> kCounts = {{
    {"index", &ClientRecord::index},
    {"planned_prompt_tokens", &ClientRecord::planned_prompt_tokens},
    {"requested_output_tokens", &ClientRecord::requested_output_tokens},
    {"prompt_tokens", &ClientRecord::prompt_tokens},
    {"cached_tokens", &ClientRecord::cached_tokens},
    {"output_tokens", &ClientRecord::output_tokens},
    {"attempts", &ClientRecord::attempts},
    {"http_status", &ClientRecord::http_status},
}};

struct ToldField {
  const char* key;
  double ToldTimings::*member;
};
constexpr std::array<ToldField, 7> kTold = {{
    {"prompt_ms", &ToldTimings::prompt_ms},
    {"predicted_ms", &ToldTimings::predicted_ms},
    {"queue_ms", &ToldTimings::queue_ms},
    {"prefill_ms", &ToldTimings::prefill_ms},
    {"decode_ms", &ToldTimings::decode_ms},
    {"ttft_ms", &ToldTimings::ttft_ms},
    {"interference_ms", &ToldTimings::interference_ms},
}};

double to_ms(int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}
int64_t to_ns(double ms) {
  return std::llround(ms * 1e6);
}

void put_number(Json& out, const char* key, double value) {
  if (std::isfinite(value)) out[key] = value;
}

void put_chunks(Json& out, const std::vector<ClientChunk>& chunks) {
  Json at = Json::array();
  Json tokens = Json::array();
  Json prefill = Json::array();
  bool all_one = true;
  bool any_prefill = false;
  for (const ClientChunk& chunk : chunks) {
    at.push_back(to_ms(chunk.at_ns));
    tokens.push_back(chunk.num_tokens);
    prefill.push_back(chunk.prefill_tokens);
    all_one = all_one && chunk.num_tokens == 1;
    any_prefill = any_prefill || chunk.prefill_tokens >= 0;
  }
  out["chunk_at_ms"] = std::move(at);
  if (!all_one) out["chunk_tokens"] = std::move(tokens);
  if (any_prefill) out["chunk_step_prefill_tokens"] = std::move(prefill);
}

Result<std::vector<ClientChunk>> chunks_from(const Json& value) {
  const Json& at = json_member(value, "chunk_at_ms");
  const Json& tokens = json_member(value, "chunk_tokens");
  const Json& prefill = json_member(value, "chunk_step_prefill_tokens");
  const auto bad = [](const char* key) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: expected numbers, as many as chunk_at_ms", key), key};
  };
  std::vector<ClientChunk> chunks;
  for (size_t i = 0; i < at.size(); ++i) {
    if (!at[i].is_number()) return bad("chunk_at_ms");
    ClientChunk chunk;
    chunk.at_ns = to_ns(at[i].get<double>());
    if (tokens.is_array()) {
      if (i >= tokens.size() || !tokens[i].is_number_integer()) return bad("chunk_tokens");
      chunk.num_tokens = tokens[i].get<int>();
    }
    if (prefill.is_array()) {
      if (i >= prefill.size() || !prefill[i].is_number_integer()) {
        return bad("chunk_step_prefill_tokens");
      }
      chunk.prefill_tokens = prefill[i].get<int>();
    }
    chunks.push_back(chunk);
  }
  return chunks;
}

// Quoted where CSV needs it.
std::string csv_text(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string csv_number(double value) {
  if (std::isnan(value)) return "";
  return std::isinf(value) ? "inf" : fmt::format("{:.6f}", value);
}

}  // namespace

Json record_json(const ClientRecord& record) {
  Json out = Json::object();
  for (const CountField& field : kCounts) out[field.key] = record.*field.member;
  if (!record.label.empty()) out["label"] = record.label;
  for (const TimeField& field : kTimes) {
    if (record.*field.member != -1) out[field.key] = to_ms(record.*field.member);
  }
  const ClientMetrics metrics = metrics_of(record);
  put_number(out, "ttft_ms", metrics.ttft_ms);
  put_number(out, "tpot_ms", metrics.tpot_ms);
  put_number(out, "e2el_ms", metrics.e2el_ms);
  out["token_source"] = token_source_name(record.token_source);
  out["has_usage"] = record.has_usage;
  out["streamed"] = record.streamed;
  out["finish_reason"] = record.finish_reason;
  out["error_kind"] = error_kind_name(record.error_kind);
  if (!record.error.empty()) out["error"] = record.error;
  if (!record.text.empty()) out["text"] = record.text;
  Json told = Json::object();
  for (const ToldField& field : kTold) put_number(told, field.key, record.timings.*field.member);
  if (!told.empty()) out["server_timings"] = std::move(told);
  put_chunks(out, record.chunks);
  return out;
}

Result<ClientRecord> record_from_json(const Json& value) {
  if (!json_member(value, "error_kind").is_string() ||
      !json_member(value, "chunk_at_ms").is_array()) {
    return Error{ErrorCode::kInvalidArgument,
                 "not a request record: expected 'error_kind' and 'chunk_at_ms'", ""};
  }
  ClientRecord record;
  for (const CountField& field : kCounts) {
    const int64_t number = json_int(value, field.key, record.*field.member);
    record.*field.member = static_cast<int>(number);
  }
  for (const TimeField& field : kTimes) {
    const double ms = json_number(value, field.key, kUnknown);
    if (!std::isnan(ms)) record.*field.member = to_ns(ms);
  }
  record.label = json_string(value, "label");
  record.token_source = token_source_from(json_string(value, "token_source"));
  record.has_usage = json_member(value, "has_usage") == Json(true);
  record.streamed = json_member(value, "streamed") != Json(false);
  record.finish_reason = json_string(value, "finish_reason");
  record.error_kind = error_kind_from(json_string(value, "error_kind"));
  record.error = json_string(value, "error");
  record.text = json_string(value, "text");
  const Json& told = json_member(value, "server_timings");
  for (const ToldField& field : kTold) {
    record.timings.*field.member = json_number(told, field.key, kUnknown);
  }
  record.chunks = TRY(chunks_from(value));
  return record;
}

std::string records_jsonl(const std::vector<ClientRecord>& records) {
  std::string out;
  for (const ClientRecord& record : records) out += json_line(record_json(record)) + "\n";
  return out;
}

std::string records_csv(const std::vector<ClientRecord>& records) {
  std::string out;
  for (const CountField& field : kCounts) out += std::string(field.key) + ",";
  for (const TimeField& field : kTimes) out += std::string(field.key) + ",";
  out +=
      "label,chunks,ttft_ms,tpot_ms,e2el_ms,ttft_from_schedule_ms,e2el_from_schedule_ms,"
      "client_queue_ms,queue_ms,prefill_ms,decode_ms,finish_reason,error_kind,error\n";
  for (const ClientRecord& record : records) {
    for (const CountField& field : kCounts) out += fmt::format("{},", record.*field.member);
    for (const TimeField& field : kTimes) {
      const int64_t ns = record.*field.member;
      out += (ns == -1 ? "" : fmt::format("{:.6f}", to_ms(ns))) + ",";
    }
    const ClientMetrics metrics = metrics_of(record);
    out += fmt::format("{},{},", csv_text(record.label), record.chunks.size());
    for (const double number :
         {metrics.ttft_ms, metrics.tpot_ms, metrics.e2el_ms, metrics.ttft_from_schedule_ms,
          metrics.e2el_from_schedule_ms, metrics.client_queue_ms, record.timings.queue_ms,
          record.timings.prefill_ms, record.timings.decode_ms}) {
      out += csv_number(number) + ",";
    }
    out += fmt::format("{},{},{}\n", csv_text(record.finish_reason),
                       error_kind_name(record.error_kind), csv_text(record.error));
  }
  return out;
}

}  // namespace twostroke

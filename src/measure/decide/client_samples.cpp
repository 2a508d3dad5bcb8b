#include "measure/decide/client_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "measure/client_metrics.h"

namespace twostroke {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// FNV-1a; 0 is "no text".
uint64_t hash_of(std::string_view text) {
  if (text.empty()) return 0;
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash == 0 ? 1 : hash;
}

RequestSample failed_sample() {
  RequestSample sample;
  sample.ok = false;
  sample.ttft_ms = sample.tpot_ms = sample.e2el_ms = kInfinity;
  return sample;
}

double tpot_of(double ttft_ms, double e2el_ms, int64_t output_tokens) {
  if (output_tokens < 2) return kUnknown;
  return (e2el_ms - ttft_ms) / static_cast<double>(output_tokens - 1);
}

const Json& element(const Json& object, const char* key, size_t index) {
  static const Json kNothing;
  const Json& array = json_member(object, key);
  return array.is_array() && index < array.size() ? array[index] : kNothing;
}

int64_t int_or(const Json& value, int64_t otherwise) {
  return value.is_number() ? static_cast<int64_t>(value.get<double>()) : otherwise;
}

// vLLM's arrays: seconds; a failed request has a TTFT of 0 and its error in "errors".
RequestSample vllm_sample(const Json& run, size_t index) {
  const Json& ttft = element(run, "ttfts", index);
  const Json& error = element(run, "errors", index);
  const bool has_error = error.is_string() && !error.get_ref<const std::string&>().empty();
  if (has_error || !ttft.is_number() || !(ttft.get<double>() > 0)) return failed_sample();
  RequestSample sample;
  sample.ttft_ms = 1e3 * ttft.get<double>();
  double last_ms = sample.ttft_ms;
  for (const Json& gap : element(run, "itls", index)) {
    if (!gap.is_number()) continue;
    sample.itl_ms.push_back(1e3 * gap.get<double>());
    last_ms += sample.itl_ms.back();
  }
  sample.prompt_tokens = int_or(element(run, "input_lens", index), -1);
  sample.output_tokens =
      int_or(element(run, "output_lens", index), static_cast<int64_t>(sample.itl_ms.size()) + 1);
  sample.e2el_ms = last_ms;
  sample.tpot_ms = tpot_of(sample.ttft_ms, last_ms, sample.output_tokens);
  return sample;
}

bool is_vllm_run(const Json& value) {
  return json_member(value, "ttfts").is_array();
}
bool is_run(const Json& value) {
  return is_vllm_run(value) || json_member(value, "requests").is_array();
}
bool is_request(const Json& value) {
  return value.is_object() &&
         (value.contains("ttft_ms") || value.contains("error") || value.contains("error_kind"));
}

// A chunk of k tokens that came g after the one before is k gaps of g / k.
void read_gaps(const Json& row, RequestSample& sample) {
  for (const Json& gap : json_member(row, "itl_ms")) {
    if (gap.is_number()) sample.itl_ms.push_back(gap.get<double>());
  }
  const Json& at = json_member(row, "chunk_at_ms");
  if (!sample.itl_ms.empty() || !at.is_array()) return;
  for (size_t i = 1; i < at.size(); ++i) {
    if (!at[i].is_number() || !at[i - 1].is_number()) continue;
    const auto tokens = std::clamp<int64_t>(int_or(element(row, "chunk_tokens", i), 1), 1, 1 << 20);
    const double gap =
        (at[i].get<double>() - at[i - 1].get<double>()) / static_cast<double>(tokens);
    sample.itl_ms.insert(sample.itl_ms.end(), static_cast<size_t>(tokens), gap);
  }
}

// Our own records, or vLLM's lists.
ArmRun run_from(const Json& value) {
  ArmRun run;
  run.duration_s = json_number(value, "duration", 0);
  if (!is_vllm_run(value)) {
    for (const Json& row : json_member(value, "requests")) {
      run.requests.push_back(sample_from_row(row));
    }
    return run;
  }
  for (size_t i = 0; i < json_member(value, "ttfts").size(); ++i) {
    run.requests.push_back(vllm_sample(value, i));
  }
  return run;
}

Error unknown_shape(size_t line) {
  return {
      ErrorCode::kInvalidArgument,
      fmt::format("line {}: expected a run (\"ttfts\", \"itls\", \"output_lens\", as saved with "
                  "details) or a request (\"ttft_ms\", …), found neither",
                  line),
      ""};
}

Result<std::vector<ArmRun>> parse_lines(std::string_view text) {
  std::vector<ArmRun> runs;
  ArmRun from_requests;
  size_t line_number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Result<Json> value = parse_json_text(line);
    if (!value.ok()) {
      return Error{value.error().code,
                   fmt::format("line {}: {}", line_number, value.error().message), ""};
    }
    if (is_run(*value)) {
      runs.push_back(run_from(*value));
    } else if (is_request(*value)) {
      from_requests.requests.push_back(sample_from_row(*value));
    } else {
      return unknown_shape(line_number);
    }
  }
  if (!from_requests.requests.empty()) runs.push_back(std::move(from_requests));
  return runs;
}

}  // namespace

RequestSample sample_of(const ClientRecord& record) {
  if (!record.ok()) return failed_sample();
  const ClientMetrics metrics = metrics_of(record);
  RequestSample sample;
  sample.ttft_ms = metrics.ttft_ms;
  sample.tpot_ms = metrics.tpot_ms;
  sample.e2el_ms = metrics.e2el_ms;
  sample.prompt_tokens = record.prompt_tokens;
  sample.cached_tokens = record.cached_tokens;
  sample.output_tokens = record.output_tokens;
  sample.text_hash = hash_of(record.text);
  sample.itl_ms = itl_ms(record);
  return sample;
}

ArmRun arm_run_of(const LoadResult& result) {
  ArmRun run;
  for (const ClientRecord& record : result.records) run.requests.push_back(sample_of(record));
  run.duration_s = static_cast<double>(result.duration_ns) / 1e9;
  return run;
}

RequestSample sample_from_row(const Json& row) {
  const Json& ok = json_member(row, "ok");
  RequestSample sample;
  sample.ttft_ms = json_number(row, "ttft_ms", kInfinity);
  sample.e2el_ms = json_number(row, "e2el_ms", kInfinity);
  if ((ok.is_boolean() && !ok.get<bool>()) || !std::isfinite(sample.ttft_ms)) {
    return failed_sample();
  }
  sample.prompt_tokens = json_int(row, "prompt_tokens", -1);
  sample.cached_tokens = json_int(row, "cached_tokens", -1);
  sample.output_tokens = json_int(row, "output_tokens", 0);
  sample.tpot_ms =
      json_number(row, "tpot_ms", tpot_of(sample.ttft_ms, sample.e2el_ms, sample.output_tokens));
  sample.text_hash = hash_of(json_string(row, "text"));
  read_gaps(row, sample);
  return sample;
}

Result<std::vector<ArmRun>> parse_result_runs(std::string_view text) {
  // A document over many lines first; JSON lines are not one document.
  const Result<Json> whole = parse_json_text(text);
  std::vector<ArmRun> runs;
  if (whole.ok() && is_run(*whole)) {
    runs.push_back(run_from(*whole));
    return runs;
  }
  if (whole.ok() && whole->is_array()) {
    for (const Json& value : *whole) {
      if (!is_run(value)) return unknown_shape(1);
      runs.push_back(run_from(value));
    }
  } else if (whole.ok() && !is_request(*whole)) {
    return unknown_shape(1);
  } else {
    runs = TRY(parse_lines(text));
  }
  if (runs.empty()) return Error{ErrorCode::kInvalidArgument, "no run and no request in it", ""};
  return runs;
}

Result<std::vector<ArmRun>> read_result_runs(const std::string& path) {
  std::error_code failure;
  const auto num_bytes = std::filesystem::file_size(path, failure);
  if (failure) {
    return Error{ErrorCode::kIo, fmt::format("{}: {}", path, failure.message()), "file"};
  }
  if (num_bytes > kMaxResultFileBytes) {
    return Error{
        ErrorCode::kTooLarge,
        fmt::format("{}: {} bytes, at most {} are read", path, num_bytes, kMaxResultFileBytes),
        "file"};
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Error{ErrorCode::kIo, fmt::format("cannot read {}", path), "file"};
  Result<std::vector<ArmRun>> runs = parse_result_runs(text.str());
  if (runs.ok()) return runs;
  return Error{runs.error().code, fmt::format("{}: {}", path, runs.error().message), "file"};
}

}  // namespace twostroke

#include "apps/load_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "apps/seed.h"

namespace twostroke {
namespace {

Error bad_flag(const char* flag, const std::string& message) {
  return Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", flag, message), flag};
}

// A number, or "inf".
Result<double> parse_number(const char* flag, std::string_view text) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return bad_flag(flag, fmt::format("expected a number or 'inf', found '{}'", text));
  }
  return value;
}

Result<int> parse_count(const char* flag, std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return bad_flag(flag, fmt::format("expected a count, found '{}'", text));
  }
  return value;
}

Status read_arrival(const LoadOptions& options, LoadConfig& config) {
  ArrivalConfig& arrival = config.arrival;
  arrival.concurrency = options.concurrency;
  arrival.max_in_flight = options.max_in_flight;
  arrival.ramp_s = options.ramp_s;
  arrival.think_time_s = options.think_time_s;
  arrival.time_scale = options.time_scale;
  if (!options.trace.empty()) {
    if (!options.rate.empty()) return bad_flag("--rate", "a trace has its own times");
    arrival.kind = ArrivalKind::kTrace;
    return {};
  }
  if (options.rate.empty()) return {};
  arrival.kind = ArrivalKind::kOpenLoop;
  arrival.rate_per_s = TRY(parse_number("--rate", options.rate));
  arrival.burstiness = TRY(parse_number("--burstiness", options.burstiness));
  if (options.ramp_start_rate > 0) {
    arrival.ramp = options.ramp_shape == "exponential" ? Ramp::kExponential : Ramp::kLinear;
    arrival.ramp_start_per_s = options.ramp_start_rate;
  }
  return {};
}

Status read_workload(const LoadOptions& options, LoadConfig& config) {
  WorkloadConfig& workload = config.workload;
  const int kinds = (options.trace.empty() ? 0 : 1) + (options.dataset.empty() ? 0 : 1) +
                    (options.shape.empty() ? 0 : 1);
  if (kinds > 1) return bad_flag("--dataset", "only one of --dataset, --shape and --trace");
  workload.prompt_tokens = options.prompt_tokens;
  workload.output_tokens = options.output_tokens;
  workload.range_ratio = options.range_ratio;
  workload.shared_prefix_tokens = options.shared_prefix;
  const bool shared =
      options.cache == "shared" || (options.cache.empty() && options.shared_prefix > 0);
  workload.cache = shared                     ? CacheMode::kShared
                   : options.cache == "as-is" ? CacheMode::kAsIs
                                              : CacheMode::kCold;
  if (!options.trace.empty()) {
    workload.kind = WorkloadKind::kTrace;
    workload.file = options.trace;
  } else if (!options.dataset.empty()) {
    workload.kind = WorkloadKind::kFile;
    workload.file = options.dataset;
  } else if (!options.shape.empty()) {
    workload.kind = WorkloadKind::kPromptShape;
    workload.shape = TRY(parse_shape(options.shape));
  }
  return {};
}

// As many as fit into the time, where that is known; else as many as was asked.
int requests_of(const LoadOptions& options, const LoadConfig& config) {
  constexpr int kDefault = 100;
  constexpr int kMost = 1'000'000;
  if (options.requests > 0) return options.requests;
  if (config.arrival.kind == ArrivalKind::kTrace) return kMost;
  if (options.duration_s <= 0) return kDefault;
  if (config.arrival.kind == ArrivalKind::kClosedLoop) return kMost;
  if (!std::isfinite(config.arrival.rate_per_s)) return kDefault;
  return static_cast<int>(
      std::clamp(std::ceil(config.arrival.rate_per_s * options.duration_s), 1.0, double{kMost}));
}

}  // namespace

Result<Slo> parse_slo(const std::vector<std::string>& limits) {
  Slo slo;
  for (const std::string& limit : limits) {
    const size_t colon = limit.find(':');
    const std::string name = limit.substr(0, colon);
    double* place = name == "ttft"   ? &slo.ttft_ms
                    : name == "tpot" ? &slo.tpot_ms
                    : name == "itl"  ? &slo.itl_ms
                    : name == "e2el" ? &slo.e2el_ms
                                     : nullptr;
    if (place == nullptr || colon == std::string::npos) {
      return bad_flag("--goodput", fmt::format("expected ttft:MS, tpot:MS, itl:MS or e2el:MS, "
                                               "found '{}'",
                                               limit));
    }
    *place = TRY(parse_number("--goodput", std::string_view(limit).substr(colon + 1)));
    if (*place < 0) return bad_flag("--goodput", "a limit is not negative");
  }
  return slo;
}

Result<PromptShape> parse_shape(const std::string& text) {
  PromptShape shape;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    const size_t times = value.find('x');
    const bool is_list = name == "history" || name == "documents" || name == "tools";
    if (is_list != (times != std::string_view::npos)) {
      return bad_flag("--shape",
                      fmt::format("expected system=N, history=NxT, documents=NxT, tools=NxT, "
                                  "schema=N or question=N, found '{}'",
                                  part));
    }
    const int count = TRY(parse_count("--shape", value.substr(0, times)));
    const int tokens = is_list ? TRY(parse_count("--shape", value.substr(times + 1))) : count;
    if (name == "system") {
      shape.system_tokens = tokens;
    } else if (name == "history") {
      shape.history_turns = count;
      shape.history_turn_tokens = tokens;
    } else if (name == "documents") {
      shape.documents = count;
      shape.document_tokens = tokens;
    } else if (name == "tools") {
      shape.tools = count;
      shape.tool_tokens = tokens;
    } else if (name == "schema") {
      shape.schema_tokens = tokens;
    } else if (name == "question") {
      shape.question_tokens = tokens;
    } else {
      return bad_flag("--shape", fmt::format("there is no part '{}'", name));
    }
  }
  return shape;
}

Result<LoadConfig> load_config_of(const LoadOptions& options) {
  LoadConfig config;
  config.server = TRY(parse_server_url(options.url));
  config.http.api_key = options.api_key;
  if (const char* key = std::getenv("OPENAI_API_KEY"); key != nullptr && options.api_key.empty()) {
    config.http.api_key = key;
  }
  if (config.http.api_key.find_first_of("\r\n") != std::string::npos) {
    return bad_flag("--api-key", "a key has no line breaks");
  }
  constexpr double kMsPerS = 1000;
  config.http.total_timeout_ms = static_cast<int>(options.timeout_s * kMsPerS);
  config.http.idle_timeout_ms = static_cast<int>(options.idle_timeout_s * kMsPerS);
  config.model = options.model;
  config.endpoint =
      options.endpoint == "completions" ? ApiEndpoint::kCompletions : ApiEndpoint::kChat;
  TRY(read_arrival(options, config));
  TRY(read_workload(options, config));
  config.num_requests = requests_of(options, config);
  config.max_duration_s = options.duration_s;
  config.warmup_requests = options.warmup;
  config.seed = options.seed_given ? options.seed : fresh_seed();
  config.slo = TRY(parse_slo(options.goodput));
  if (!options.extra_body.empty()) {
    const auto extra = parse_json_text(options.extra_body);
    if (!extra.ok() || !extra->is_object()) {
      return bad_flag("--extra-body", "expected a JSON object");
    }
    config.extra_body = *extra;
  }
  config.ignore_eos = !options.allow_eos;
  config.plain_openai = options.plain_openai;
  config.retries = options.retries;
  TRY(check_load_config(config));
  return config;
}

}  // namespace twostroke

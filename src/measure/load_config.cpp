#include "measure/load_config.h"

#include <fmt/format.h>

#include <cmath>

namespace twostroke {
namespace {

constexpr int kMaxRequests = 1'000'000;
constexpr int kMaxConcurrency = 20'000;
constexpr int kMaxTokens = 1 << 22;
constexpr double kMaxSeconds = 30.0 * 86'400;

// The first thing that is wrong.
class Checks {
 public:
  template <typename T>
  void range(const char* field, T value, T low, T high) {
    // Written so that NaN fails.
    if (status_.ok() && !(value >= low && value <= high)) {
      status_ = Error{ErrorCode::kInvalidArgument,
                      fmt::format("{} must be {} to {}, found {}", field, low, high, value), field};
    }
  }
  void require(bool good, const char* field, const char* message) {
    if (status_.ok() && !good) {
      status_ = Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", field, message), field};
    }
  }
  Status status() const { return status_; }

 private:
  Status status_;
};

void check_arrival(const ArrivalConfig& arrival, Checks& checks) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  checks.range("concurrency", arrival.concurrency, 1, kMaxConcurrency);
  checks.range("max-in-flight", arrival.max_in_flight, 0, kMaxConcurrency);
  checks.range("ramp", arrival.ramp_s, 0.0, kMaxSeconds);
  checks.range("think-time", arrival.think_time_s, 0.0, kMaxSeconds);
  checks.range("time-scale", arrival.time_scale, 1e-6, 1e6);
  if (arrival.kind != ArrivalKind::kOpenLoop) return;
  checks.range("rate", arrival.rate_per_s, 1e-6, kInfinity);
  checks.range("burstiness", arrival.burstiness, 1e-3, kInfinity);
  if (arrival.ramp != Ramp::kNone) {
    checks.range("ramp-start", arrival.ramp_start_per_s, 1e-6, 1e9);
    checks.require(std::isfinite(arrival.rate_per_s), "rate", "a ramp needs a rate to end at");
  }
}

void check_workload(const WorkloadConfig& workload, Checks& checks) {
  checks.range("prompt-tokens", workload.prompt_tokens, 1, kMaxTokens);
  checks.range("output-tokens", workload.output_tokens, 1, kMaxTokens);
  checks.range("range-ratio", workload.range_ratio, 0.0, 1.0);
  checks.range("shared-prefix", workload.shared_prefix_tokens, 0, kMaxTokens);
  checks.require(workload.cache != CacheMode::kShared ||
                     workload.kind == WorkloadKind::kPromptShape ||
                     workload.shared_prefix_tokens > 0,
                 "shared-prefix", "a shared prefix needs a length");
  const bool needs_file =
      workload.kind == WorkloadKind::kFile || workload.kind == WorkloadKind::kTrace;
  checks.require(!needs_file || !workload.file.empty(), "file", "this workload needs a file");
  const PromptShape& shape = workload.shape;
  checks.range("shape.system", shape.system_tokens, 0, 1 << 20);
  checks.range("shape.history", shape.history_turns, 0, 1024);
  checks.range("shape.history tokens", shape.history_turn_tokens, 0, 1 << 16);
  checks.range("shape.documents", shape.documents, 0, 1024);
  checks.range("shape.document tokens", shape.document_tokens, 0, 1 << 16);
  checks.range("shape.tools", shape.tools, 0, 128);
  checks.range("shape.tool tokens", shape.tool_tokens, 0, 1 << 14);
  checks.range("shape.schema", shape.schema_tokens, 0, 1 << 14);
  checks.range("shape.question", shape.question_tokens, 1, 1 << 20);
}

}  // namespace

Status check_load_config(const LoadConfig& config) {
  Checks checks;
  checks.range("requests", config.num_requests, 1, kMaxRequests);
  checks.range("duration", config.max_duration_s, 0.0, kMaxSeconds);
  checks.range("warmup", config.warmup_requests, 0, 10'000);
  checks.range("retries", config.retries, 0, 100);
  checks.require(config.extra_body.is_object(), "extra-body", "expected a JSON object");
  checks.require((config.arrival.kind == ArrivalKind::kTrace) ==
                     (config.workload.kind == WorkloadKind::kTrace),
                 "trace", "a trace says both when requests come and how long they are");
  check_arrival(config.arrival, checks);
  check_workload(config.workload, checks);
  return checks.status();
}

}  // namespace twostroke

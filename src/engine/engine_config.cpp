#include "engine/engine_config.h"

#include <fmt/format.h>

#include <limits>

namespace twostroke {
namespace {

constexpr int64_t kMaxNs = 3'600'000'000'000;  // an hour

Status in_range(const char* field, int64_t value, int64_t lowest, int64_t highest) {
  if (value >= lowest && value <= highest) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{} must be in [{}, {}], found {}", field, lowest, highest, value),
               field};
}

}  // namespace

Status validate(const EngineConfig& config) {
  constexpr int kMax = std::numeric_limits<int>::max();
  TRY(in_range("max_running", config.max_running, 1, 4096));
  TRY(in_range("max_step_tokens", config.max_step_tokens, 1, 1 << 20));
  TRY(in_range("max_prefill_tokens_with_decode", config.max_prefill_tokens_with_decode, 1,
               1 << 20));
  TRY(in_range("target_itl_ns", config.target_itl_ns, EngineConfig::kMeasuredTarget, kMaxNs));
  TRY(in_range("calibration_ns", config.calibration_ns, 0, kMaxNs));
  TRY(in_range("max_waiting", config.max_waiting, 0, 1 << 20));
  TRY(in_range("max_model_len", config.max_model_len, 0, kMax));
  TRY(in_range("max_stop_strings", config.max_stop_strings, 0, 1024));
  TRY(in_range("max_stop_string_bytes", config.max_stop_string_bytes, 1, 1 << 16));
  TRY(in_range("max_stop_token_ids", config.max_stop_token_ids, 0, 1 << 16));
  TRY(in_range("max_logit_bias", config.max_logit_bias, 0, 1 << 20));
  TRY(in_range("max_logprobs", config.max_logprobs, 0, 1024));
  TRY(in_range("max_cache_salt_bytes", config.max_cache_salt_bytes, 0, 1 << 16));
  TRY(in_range("num_step_records", config.num_step_records, 1, 1 << 20));
  TRY(in_range("num_request_records", config.num_request_records, 0, 1 << 16));
  if (config.max_step_tokens < config.max_running) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("max_step_tokens ({}) must be at least max_running ({}), so that "
                             "every running request can decode in every step",
                             config.max_step_tokens, config.max_running),
                 "max_step_tokens"};
  }
  return {};
}

}  // namespace twostroke

// EngineConfig: every limit of the engine, validated in one place. It knows no model; what depends
// on one (context length, blocks) is read from the Model at start.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "kv_cache/prefix_index.h"

namespace twostroke {

struct EngineConfig {
  // Tokens one step computes at most. Bounds how long a step takes, and so how long a cancel or a
  // new request waits.
  int max_step_tokens = 512;
  // Requests that hold KV and are computed at once.
  int max_running = 64;
  // Prefill tokens of a step in which anybody decodes: what a reader waits between two tokens.
  int max_prefill_tokens_with_decode = 128;
  // What a reader should wait at most between two tokens: bounds each step by the cost model's
  // prediction, within the token limits above. 0: token limits only.
  int64_t target_itl_ns = 0;
  static constexpr int64_t kMeasuredTarget = -1;  // chosen by what the calibration measured
  // How long made-up steps may teach the cost model before the first request; 0: not at all.
  int64_t calibration_ns = 0;
  // Requests that wait for their turn; one more is refused with kOverloaded.
  int max_waiting = 256;
  // Prompt and output together; 0: what the model and the KV pool allow.
  int max_model_len = 0;

  int max_stop_strings = 16;        // per request
  int max_stop_string_bytes = 256;  // each
  int max_stop_token_ids = 64;      // per request
  int max_logit_bias = 1024;        // entries per request
  int max_logprobs = 20;            // most likely tokens per position
  int max_cache_salt_bytes = 256;
  int num_step_records = 8192;    // recent steps kept for timeline, events and trace
  int num_request_records = 256;  // ended requests whose ledger is kept

  // Not a limit: tests make every hash collide.
  PrefixHash prefix_hash = default_prefix_hash();

  int max_live_requests() const { return max_running + max_waiting; }
};

// kInvalidArgument names the field, the allowed range and the value.
Status validate(const EngineConfig& config);

}  // namespace twostroke

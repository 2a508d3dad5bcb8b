// StepPlan: what one step computes. Plain data, made by the Scheduler, read by the engine.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/request.h"

namespace twostroke {

// Tokens [first_token, first_token + num_tokens) of one request.
struct ScheduledRequest {
  Request* request = nullptr;
  int first_token = 0;
  int num_tokens = 0;
  bool needs_logits = false;  // it catches up in this step, so its next token is sampled
};

// Why the waiting requests were not admitted in this step. FIFO: one reason holds for all of them.
enum class WaitReason : uint8_t {
  kNone,        // nobody waits
  kKv,          // no KV blocks for the first of them
  kBatchLimit,  // max_running requests run
  kTurn,        // the step's token budget was used by earlier requests
};

struct StepPlan {
  std::vector<ScheduledRequest> scheduled;  // decodes first, then prefill chunks
  int num_tokens = 0;
  int num_logits = 0;
  int num_decodes = 0;  // of `scheduled`, those that wanted exactly one token
  WaitReason wait_reason = WaitReason::kNone;
  std::vector<Request*> preempted;  // in this step; they wait again

  bool empty() const { return scheduled.empty(); }
};

}  // namespace twostroke

// ActiveRequest: a request as the engine holds it: the scheduler's part, and what is needed to
// sample, publish and book it. Built by the submitting thread, then owned and touched by the engine
// thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "engine/grammar_worker.h"
#include "engine/output_processor.h"
#include "engine/pooling.h"
#include "engine/request_record.h"
#include "engine/token_stream.h"
#include "phases/blame.h"
#include "phases/ledger.h"
#include "sampling/sampling_params.h"
#include "scheduler/request.h"

namespace twostroke {

struct ActiveRequest : Request {
  ActiveRequest(const TokenText& token_text, OutputLimits limits, int64_t received_ns)
      : output(token_text, std::move(limits)), ledger(received_ns) {}

  SamplingParams sampling;
  std::shared_ptr<GrammarState> grammar;  // null: any output; shared with the worker
  OutputProcessor output;
  std::shared_ptr<TokenStream> stream;
  std::optional<Pooler> pooler;  // an embedding, no text
  bool return_progress = false;

  RequestEvents events;
  Ledger ledger;
  BlameTable interference;  // who took prefill_others, decode_batch and decode_prefill
  BlameTable waited_for;    // who ran during wait_kv, wait_batch and wait_turn
  std::shared_ptr<RequestRecord> record;
  bool is_waiting = true;  // not running: for the first time, or again after a preemption
  Cause wait_cause = Cause::kWaitTurn;  // what for
  int num_steps = 0;
  int64_t grammar_compile_ns = 0;
  int64_t grammar_wait_ns = 0;  // for masks that were not ready when the logits were
  size_t share_index = 0;       // scratch of StepBooking
  int64_t model_ready_ns = 0, parsed_ns = 0, templated_ns = 0;  // intake, 0: not measured

  // Between eviction and the moment it has caught up, a step gives it nothing new.
  bool is_recomputing(int first_token) const { return first_token < recompute_until; }
  bool is_decoding() const { return num_output_tokens() > 0; }
};

inline ActiveRequest& active(Request& request) {
  return static_cast<ActiveRequest&>(request);
}

}  // namespace twostroke

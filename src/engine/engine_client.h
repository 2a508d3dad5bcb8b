// EngineClient: how every other thread talks to the engine. Thread-safe; submit and cancel go
// through one bounded queue that the engine drains at the start of each step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/pooling.h"
#include "engine/request_record.h"
#include "engine/token_stream.h"
#include "sampling/grammar.h"
#include "sampling/sampling_params.h"

namespace twostroke {

// What a validated request brings along. Times are Clock::now_ns() of the engine's clock.
struct RequestInput {
  std::vector<TokenId> prompt;  // [1, max_model_len)
  SamplingParams sampling;
  std::shared_ptr<const Grammar> grammar;  // what the output must look like; null: anything
  int max_tokens = 0;  // >= 1; the engine clips it to the room left in the context
  bool ignore_eos = false;
  std::vector<std::string> stop;        // stop strings, not part of the text
  std::vector<TokenId> stop_token_ids;  // besides the model's own end-of-generation tokens
  std::vector<TokenId> spelled_tokens;  // control tokens that are text in this answer; sorted
  std::string cache_salt;               // KV is shared only between equal salts
  // Not kNone: an embedding of the prompt, no text. Needs cache_prompt to be false: tokens whose KV
  // is there already have no hidden states.
  Pooling pooling = Pooling::kNone;
  bool return_progress = false;
  bool cache_prompt = true;        // false: reuse no KV of earlier requests
  int64_t grammar_compile_ns = 0;  // a part of parsing
  // What others see of it: the reply it is for. Without one nobody reports delivery.
  std::string reply_id;
  int choice = 0;
  RequestKind kind = RequestKind::kLocal;
  // Intake as the server measured it: received -> model ready, when it had to wait for that ->
  // parsed -> templated -> tokenized.
  int64_t received_ns = 0, model_ready_ns = 0, parsed_ns = 0, templated_ns = 0, tokenized_ns = 0;
};

struct EngineStats {
  int num_running = 0, num_waiting = 0;
  int num_blocks_total = 0, num_blocks_free = 0, num_blocks_cached = 0;
  int64_t num_steps = 0, num_prompt_tokens = 0, num_cached_tokens = 0, num_output_tokens = 0;
  int64_t num_preemptions = 0;
};

class EngineObserver;

class EngineClient {
 public:
  virtual ~EngineClient() = default;
  // kOverloaded when the queue is full or the engine is draining; kTooLarge/kInvalidArgument when
  // the request can never run. The stream must outlive the request (shared).
  virtual Result<RequestId> submit(RequestInput input, std::shared_ptr<TokenStream> stream) = 0;
  // Ends the request within one step; unknown or finished ids are ignored.
  virtual void cancel(RequestId id) = 0;
  // Forgets all KV of finished requests. Returns after the engine did it.
  virtual void reset_prefix_cache() = 0;
  virtual EngineStats stats() const = 0;
  // What may be seen of the engine; outlives nobody.
  virtual EngineObserver& observer() = 0;
};

}  // namespace twostroke

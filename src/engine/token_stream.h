// TokenStream: what the engine sends back for one request. One producer (the engine thread), one
// consumer (an HTTP connection, the terminal). Bounded by the request's own max_tokens, so the
// engine never blocks on a slow reader.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "phases/blame.h"
#include "phases/ledger.h"

namespace twostroke {

class RequestRecord;

enum class FinishReason { kNone, kStop, kLength, kCancelled, kError };
// "stop", "length", "cancelled", "error"; "unfinished" while there is none.
const char* finish_reason_name(FinishReason reason);

struct TokenLogprob {
  TokenId token = kNoToken;
  float logprob = 0;
};

// One sampled token. `text` is what it adds to the answer: whole code points only, stop strings
// held back, so it may be empty, and the last event flushes the rest.
struct TokenEvent {
  TokenId token = kNoToken;  // kNoToken on a finish that sampled nothing (cancel, error)
  std::string text;
  int64_t sampled_ns = 0;
  int num_output_tokens = 0;                         // including this one
  std::optional<TokenLogprob> logprob;               // when asked for
  std::vector<TokenLogprob> top_logprobs;            // most likely first
  FinishReason finish_reason = FinishReason::kNone;  // set on the request's last event
};

// Prompt progress, as llama-server's `prompt_progress`.
struct ProgressEvent {
  int total = 0, cached = 0, processed = 0;
  double time_ms = 0;
};

// What a grammar cost; all 0 without one. Of the ledger, compiling is a part of `parse` and waiting
// one of `sample`; the masks are made on another thread, beside the forward pass.
struct GrammarWork {
  int num_masks = 0;
  int64_t compile_ns = 0;
  int64_t mask_ns = 0;
  int64_t wait_ns = 0;
};

// Everything known about a request once it ended; filled with the last event.
struct RequestSummary {
  RequestId id = 0;
  int num_prompt_tokens = 0;
  int num_cached_tokens = 0;  // of the prompt, not computed because their KV was there
  int num_output_tokens = 0;
  int num_steps = 0;
  int num_preemptions = 0;
  FinishReason finish_reason = FinishReason::kNone;
  std::vector<float> embedding = {};  // [hidden], of a request with a pooling; not normalised
  GrammarWork grammar = {};
  std::optional<Error> error;              // with kError
  std::optional<std::string> stop_string;  // which one ended it
  RequestEvents events;
  Ledger ledger{0};           // booked up to the last token; the server books delivery after it
  BlameSummary interference;  // who took prefill_others + decode_batch + decode_prefill
  BlameSummary waited_for;    // who ran during wait_kv + wait_batch + wait_turn
  bool cache_prompt = true;   // it might have reused KV
  int kv_block_tokens = 1;    // KV is reused in whole blocks of so many
};

class TokenStream {
 public:
  // Consumer: takes everything that has arrived. Never blocks.
  std::vector<TokenEvent> take();
  std::optional<ProgressEvent> take_progress();  // the newest, once
  // Consumer: blocks until an event, progress or the end is there.
  void wait();
  // The same, for at most `timeout`.
  void wait_for(std::chrono::milliseconds timeout);
  // Consumer: set before submit; called on the engine thread after each push. It must only post a
  // wake-up.
  void set_notify(std::function<void()> notify);
  // Consumer: what others may see of the request, and where deliveries are booked. Set by submit;
  // null before.
  const std::shared_ptr<RequestRecord>& record() const { return record_; }
  bool finished() const;
  // REQUIRES: finished(). A copy that nobody changes any more.
  RequestSummary summary() const;

  // Producer.
  void set_record(std::shared_ptr<RequestRecord> record) { record_ = std::move(record); }
  void push(TokenEvent event);
  void push_progress(const ProgressEvent& progress);
  void finish(RequestSummary summary);  // after the last push

 private:
  void wake();

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<TokenEvent> events_;
  std::optional<ProgressEvent> progress_;
  std::optional<RequestSummary> summary_;
  std::function<void()> notify_;
  std::shared_ptr<RequestRecord> record_;
};

}  // namespace twostroke

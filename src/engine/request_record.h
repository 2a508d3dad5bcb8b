// RequestRecord: what everyone but the engine may know of a request while it lives and for a while
// after: its state, its ledger, its prefill chunks, when each token was sampled and sent. Holds no
// text and no tokens. The engine thread writes until the request has ended there, then whoever
// delivers the answer; any thread copies at any time. Nothing is allocated after construction.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/seq_cell.h"
#include "engine/token_stream.h"
#include "phases/blame.h"
#include "phases/ledger.h"

namespace twostroke {

enum class RequestKind : uint8_t { kLocal, kChat, kCompletion, kEmbedding };
std::string_view request_kind_name(RequestKind kind);  // "local", "chat", ...

// What is known at submit and does not change.
struct RequestAbout {
  RequestId id = 0;
  std::string reply_id;  // "chatcmpl-..." as the client sees it; empty: not over HTTP
  int choice = 0;        // of that reply
  RequestKind kind = RequestKind::kLocal;
  int num_prompt_tokens = 0;
  int max_tokens = 0;
  bool cache_prompt = true;
  int64_t received_ns = 0;
};

enum class RequestPhase : int32_t {
  kWaiting,
  kPrefill,
  kDecode,
  kPreempted,   // lost its KV and has not caught up
  kDelivering,  // the engine is done, the client has not got all of it
  kFinished,
};
std::string_view request_phase_name(RequestPhase phase);

// How it was over for good.
enum class RequestEnd : int32_t {
  kNone,
  kComplete,
  kDisconnect,    // the client went away
  kWriteTimeout,  // the client took no bytes for too long
  kCancelled,     // by the server: it is shutting down, or another choice failed
  kError,
};
std::string_view request_end_name(RequestEnd end);  // "complete", "disconnect", ...

// What changes, in one piece.
struct RequestProgress {
  RequestPhase phase = RequestPhase::kWaiting;
  Cause wait_cause = Cause::kWaitTurn;  // while it waits
  FinishReason finish_reason = FinishReason::kNone;
  RequestEnd end = RequestEnd::kNone;
  int32_t num_cached_tokens = 0;
  int32_t num_computed_tokens = 0;  // KV that is there, cached ones included
  int32_t num_output_tokens = 0;
  int32_t num_steps = 0;
  int32_t num_preemptions = 0;
  int32_t unused = 0;
  RequestEvents events;
  Ledger ledger{0};
  BlameSummary interference;  // prefill_others + decode_batch + decode_prefill
  BlameSummary waited_for;    // wait_kv + wait_batch + wait_turn
};

enum class ChunkKind : int64_t {
  kComputed,
  kRecomputed,  // it had been computed before and was lost by a preemption
  kAborted,     // the step was given up: the same tokens come again
};

// One step's part of a prompt.
struct PrefillChunk {
  int64_t step = 0;
  int32_t first_token = 0;
  int32_t num_tokens = 0;
  int64_t start_ns = 0;  // of the step
  int64_t end_ns = 0;    // of its forward
  int64_t own_ns = 0;    // what it added to prefill_own; 0 when recomputed
  ChunkKind kind = ChunkKind::kComputed;
};

struct Tallies;

class RequestRecord {
 public:
  // What is kept of each request: further chunks are added to the last one, further token times are
  // counted only.
  static constexpr int kMaxChunks = 256;
  static constexpr int kMaxTokenTimes = 8192;

  explicit RequestRecord(RequestAbout about);
  RequestRecord(const RequestRecord&) = delete;
  RequestRecord& operator=(const RequestRecord&) = delete;

  // The queue, before anyone else sees the record.
  void set_id(RequestId id) { about_.id = id; }
  // Before the engine sees it: where it is counted, once, when it is over.
  void count_into(std::shared_ptr<Tallies> tallies) { tallies_ = std::move(tallies); }
  const RequestAbout& about() const { return about_; }

  // Engine thread; `publish` also the deliverer once the engine is done with the request.
  void publish(const RequestProgress& progress);
  void add_chunk(const PrefillChunk& chunk);
  void add_sampled(int64_t sampled_ns);
  // The thread that delivers.
  void add_sent(int num_tokens, int64_t sent_ns);
  // Any thread, before it cancels the request: why. The first reason stays.
  void set_end(RequestEnd end);
  // Any thread, after set_end() where nobody will publish the end: counts it, once.
  void count_if_over();

  // Any thread.
  RequestProgress progress() const;
  RequestPhase phase() const { return phase_.load(std::memory_order_acquire); }
  bool is_over() const;
  std::vector<PrefillChunk> chunks() const;
  std::vector<int64_t> sampled_ns() const { return sampled_.copy(); }
  std::vector<int64_t> sent_ns() const { return sent_.copy(); }
  int64_t num_sampled() const { return sampled_.num_added(); }

 private:
  // Times that are only ever appended: one writer, any readers.
  class TimeLog {
   public:
    explicit TimeLog(int capacity);
    void append(int64_t ns);
    std::vector<int64_t> copy() const;
    int64_t num_added() const { return num_added_.load(std::memory_order_acquire); }

   private:
    int64_t capacity_;
    std::unique_ptr<int64_t[]> times_;  // [capacity], written below num_added_ only
    std::atomic<int64_t> num_added_{0};
  };

  RequestAbout about_;
  SeqCell<RequestProgress> progress_;
  std::atomic<RequestPhase> phase_{RequestPhase::kWaiting};
  std::atomic<RequestEnd> end_{RequestEnd::kNone};
  int chunk_capacity_;
  std::unique_ptr<SeqCell<PrefillChunk>[]> chunks_;
  std::atomic<int> num_chunks_{0};
  PrefillChunk last_chunk_;  // the writer's
  TimeLog sampled_, sent_;
  int64_t last_sampled_ns_ = -1;      // the engine's
  std::shared_ptr<Tallies> tallies_;  // may be null
  std::atomic<bool> counted_{false};
};

}  // namespace twostroke

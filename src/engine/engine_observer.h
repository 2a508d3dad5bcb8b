// EngineObserver: everything that may be seen of an engine from outside: requests, steps, changes,
// KV blocks, the cost model and the machine's limits. The engine thread writes into preallocated
// rings and never waits; any thread reads copies. Holds no text and no tokens.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/seq_cell.h"
#include "engine/request_journal.h"
#include "engine/step_log.h"
#include "engine/tallies.h"
#include "phases/cost_model.h"
#include "phases/machine_limits.h"

namespace twostroke {

enum class RequestChangeKind : int64_t {
  kQueued,
  kScheduled,
  kFirstToken,
  kPreempted,
  kEnded,      // the engine is done with it
  kDelivered,  // the client has all of it, or is gone
};
// "queued", "scheduled", "first_token", "preempted", "ended", "delivered".
std::string_view request_change_name(RequestChangeKind kind);

struct RequestChange {
  RequestId request = 0;
  RequestChangeKind kind = RequestChangeKind::kQueued;
  int64_t at_ns = 0;
};

// Of all blocks: free + cached + in use = total; shared ones are in use by several requests.
struct KvCounts {
  int64_t at_ns = 0;
  int64_t total = 0, free = 0, cached = 0, in_use = 0, shared = 0;
};

class EngineObserver {
 public:
  EngineObserver(int num_steps, int num_finished_requests, int kv_block_tokens = 1);

  // Engine thread.
  void on_step(const StepRecord& record, std::span<const StepItem> items) {
    steps_.append(record, items);
    tallies_->add_step(record);
  }
  void on_change(const RequestChange& change) { changes_.append(change); }
  void on_kv(const KvCounts& counts) { kv_.store(counts); }
  void on_cost_model(const CostModel& model) { cost_model_.store(model); }

  // The submitting thread.
  RequestJournal& journal() { return journal_; }
  const std::shared_ptr<Tallies>& tallies() { return tallies_; }
  // The thread that delivers an answer: all of it was handed over, or nobody takes it any more.
  void on_delivered(const RequestChange& change);
  // Before the first request.
  MachineReport& machine() { return machine_; }

  // Any thread: a seat among at most `max_seats` who watch; null when all are taken. It is free
  // again when the pointer goes, which may be after the observer.
  std::shared_ptr<const void> take_seat(int max_seats);

  // Any thread.
  const RequestJournal& journal() const { return journal_; }
  const Tallies& tallies() const { return *tallies_; }
  const StepLog& steps() const { return steps_; }
  const SeqRing<RequestChange>& changes() const { return changes_; }
  const SeqRing<RequestChange>& deliveries() const { return deliveries_; }
  KvCounts kv() const;
  CostModel cost_model() const;
  const MachineReport& machine() const { return machine_; }
  int kv_block_tokens() const { return kv_block_tokens_; }

 private:
  RequestJournal journal_;
  StepLog steps_;
  const std::shared_ptr<Tallies> tallies_ = std::make_shared<Tallies>();  // records outlive us
  SeqRing<RequestChange> changes_;
  std::mutex delivery_mutex_;  // several connections may deliver at once
  SeqRing<RequestChange> deliveries_;
  SeqCell<KvCounts> kv_;
  SeqCell<CostModel> cost_model_;
  std::shared_ptr<std::atomic<int>> seats_taken_ = std::make_shared<std::atomic<int>>(0);
  MachineReport machine_;
  int kv_block_tokens_;
};

}  // namespace twostroke

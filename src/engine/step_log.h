// StepLog: the last N steps and what was in them, for timeline, events and trace. The engine thread
// writes without a lock or an allocation; any thread reads copies and skips what is gone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/seq_cell.h"
#include "phases/blame.h"

namespace twostroke {

// Times are Clock::now_ns(). The parts of a step: schedule (start to forward_start), forward (to
// forward_end), sample (to sample_end), publish (to end).
struct StepRecord {
  int64_t step = 0;  // counts from 1
  int64_t start_ns = 0;
  int64_t forward_start_ns = 0;
  int64_t forward_end_ns = 0;
  int64_t sample_end_ns = 0;
  int64_t end_ns = 0;
  int64_t target_ns = 0;     // latency the step was planned for; 0: none
  int64_t predicted_ns = 0;  // forward, by the cost model before it saw the step
  int64_t num_prefill_tokens = 0;
  int64_t num_decode_tokens = 0;
  int64_t num_requests = 0;
  int64_t num_waiting = 0;
  int64_t first_item = 0;  // number of its first StepItem
};

// Tokens [first_token, first_token + num_tokens) of one request in a step.
struct StepItem {
  RequestId request = 0;
  int32_t first_token = 0;
  int32_t num_tokens = 0;
  StepPhase phase = StepPhase::kPrefill;
  int32_t has_logits = 0;
  int64_t own_ns = 0;  // of the forward, by the split of phases/step_split.h
};

class StepLog {
 public:
  // `num_items`: items of all kept steps together.
  StepLog(int num_steps, int num_items) : steps_(num_steps), items_(num_items) {}

  // Engine thread. `record.step` and `record.first_item` are filled in here.
  void append(StepRecord record, std::span<const StepItem> items);

  // Any thread, as everything below: the steps after number `after`, oldest first.
  std::vector<StepRecord> since(int64_t after) const { return steps_.since(after); }
  int64_t last_step() const { return steps_.last(); }
  int64_t oldest_step() const { return steps_.oldest(); }
  // Fewer than record.num_requests when some are gone.
  std::vector<StepItem> items_of(const StepRecord& record) const;

 private:
  SeqRing<StepRecord> steps_;
  SeqRing<StepItem> items_;
};

}  // namespace twostroke

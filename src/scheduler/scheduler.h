// Scheduler: decides which tokens of which requests the next step computes. Pure bookkeeping: it
// sees no model, float, thread, clock or text. A request wants tokens.size() - num_computed_tokens
// more tokens: one is a decode, many a prefill, clipped a chunk; a prefix hit starts above zero and
// a preemption goes back to zero. Engine thread only.
#pragma once

#include <vector>

#include "base/result.h"
#include "kv_cache/kv_cache.h"
#include "scheduler/request.h"
#include "scheduler/request_queue.h"
#include "scheduler/step_limits.h"
#include "scheduler/step_plan.h"

namespace twostroke {

struct SchedulerConfig {
  int max_step_tokens = 512;  // >= max_running, so that every decode has its token in every step
  int max_running = 64;
  int max_prefill_tokens_with_decode = 128;  // prefill tokens of a step in which anyone decodes
  // Whatever the step's cost limit says, its first prefill gets this many, so that prompts go on
  // beside any number of decodes.
  int min_prefill_tokens = 16;
};

class Scheduler {
 public:
  // `kv_cache` outlives the scheduler and is used by nobody else.
  Scheduler(const SchedulerConfig& config, KvCache& kv_cache);

  // Whether a prompt of this length can ever run; the error names both numbers.
  Status check_fits(int num_prompt_tokens) const;
  // Puts a new request at the end of the queue. REQUIRES: check_fits(); it stays at its address
  // until removed.
  void add(Request& request);
  // Plans the next step. The plan is valid until the next call or a remove() of a request in it.
  const StepPlan& schedule(const StepLimits& limits = {});
  // The plan was computed: its tokens count as computed and full blocks become findable.
  void complete(const StepPlan& plan);
  // Takes a request out, in whatever state it is, and gives its blocks back.
  void remove(Request& request);

  bool has_work() const { return !waiting_.empty() || !running_.empty(); }
  int num_waiting() const { return waiting_.size(); }
  int num_running() const { return static_cast<int>(running_.size()); }
  const std::vector<Request*>& running() const { return running_; }  // in order of arrival
  const RequestQueue& waiting() const { return waiting_; }
  void check_invariants() const;

 private:
  void schedule_running();
  template <typename Wanted>
  void schedule_some(Wanted wanted);
  WaitReason admit_waiting();
  WaitReason admit(Request& request);
  int chunk_of(const Request& request) const;
  int affordable(const Request& request, int num_tokens) const;
  bool make_room(Request& request, int num_tokens);
  void preempt(Request& request);
  void unschedule(Request& request);
  void append(Request& request, int num_tokens);
  int blocks_missing(const Request& request) const;
  int blocks_promised() const;

  SchedulerConfig config_;
  KvCache& kv_cache_;
  RequestQueue waiting_;
  std::vector<Request*> running_;  // oldest arrival first
  StepPlan plan_;
  // Of the step being planned:
  StepLimits limits_;
  StepLoad load_;
  int budget_ = 0;  // tokens left
  int num_prefill_tokens_ = 0;
};

}  // namespace twostroke

// Books one step into the ledgers of everyone who lived through it: who ran, who waited, who was
// preempted, and whose tokens cost whom what. The rules that split the forward time are
// phases/step_split and phases/blame; here is only whose time was what. Engine thread only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/active_request.h"
#include "engine/engine_observer.h"
#include "phases/blame.h"
#include "phases/cost_model.h"
#include "phases/step_split.h"
#include "scheduler/scheduler.h"

namespace twostroke {

struct StepTimes {
  int64_t start_ns = 0;  // commands applied, planning begins
  int64_t forward_start_ns = 0;
  int64_t forward_end_ns = 0;
  bool aborted = false;  // the forward pass ended half-way: nothing to learn from
};

class StepBooking {
 public:
  StepBooking(int max_running, EngineObserver& observer);

  // After the forward and before Scheduler::complete: books everyone up to forward_end, then lets
  // the cost model learn from the step. Returns what the model had predicted for the forward.
  int64_t book(const Scheduler& scheduler, const StepPlan& plan, const StepTimes& times,
               CostModel& cost_model);
  // What was in the step booked last, in the plan's order.
  std::span<const StepItem> items() const { return items_; }

 private:
  void share_out(const Scheduler& scheduler, const StepPlan& plan, const CostModel& cost_model,
                 int64_t forward_ns);
  void book_running(const Scheduler& scheduler, const StepTimes& times);
  void book_forward(ActiveRequest& request, size_t index, const StepTimes& times);
  void book_waiting(const Scheduler& scheduler, const StepPlan& plan, const StepTimes& times);

  EngineObserver& observer_;
  std::vector<StepShare> shares_;  // [running], in the scheduler's order
  std::vector<StepSplit> splits_;
  std::vector<StepItem> items_;
  StepBlame blame_;
};

// Books the intake of a request that the engine just took over.
void book_intake(ActiveRequest& request);
// Books a wait that no step ran through.
void book_wait(ActiveRequest& request, int64_t until_ns);

}  // namespace twostroke

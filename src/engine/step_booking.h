// Books one step into the ledgers of everyone who lived through it: who ran, who waited, who was
// preempted. The rule that splits the forward time is phases/step_split; here is only whose time
// was what. Engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/active_request.h"
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
  explicit StepBooking(int max_running);

  // After the forward and before Scheduler::complete: books everyone up to forward_end, then lets
  // the cost model learn from the step.
  void book(const Scheduler& scheduler, const StepPlan& plan, const StepTimes& times,
            CostModel& cost_model);

 private:
  void book_running(const Scheduler& scheduler, const StepPlan& plan, const StepTimes& times,
                    const CostModel& cost_model);
  static void book_waiting(const Scheduler& scheduler, const StepPlan& plan,
                           const StepTimes& times);

  std::vector<StepShare> shares_;  // [running], in the scheduler's order
  std::vector<StepSplit> splits_;
};

// Books the intake of a request that the engine just took over.
void book_intake(ActiveRequest& request);

}  // namespace twostroke

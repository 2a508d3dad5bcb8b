// StepTargets: turns the wish "no reader waits longer than this for the next token" into a limit on
// what a step may hold, by the cost model. With nobody decoding, a step is bounded too, so that a
// cancel or a new request is not kept waiting by a huge prompt. Engine thread only.
#pragma once

#include <cstdint>

#include "phases/cost_model.h"
#include "scheduler/step_limits.h"

namespace twostroke {

class StepTargets final : public StepCost {
 public:
  // `cost_model` outlives this. `target_itl_ns` 0: token limits only.
  StepTargets(const CostModel& cost_model, int64_t target_itl_ns)
      : cost_model_(cost_model), target_itl_ns_(target_itl_ns) {}

  int64_t cost_of(const StepLoad& load) const override;
  // For the next step: the target less what a step takes besides the forward pass.
  StepLimits limits() const;
  // What the last step took in all, and its forward pass alone.
  void observe(int64_t step_ns, int64_t forward_ns);

  int64_t target_itl_ns() const { return target_itl_ns_; }
  void set_target_itl_ns(int64_t target_itl_ns) { target_itl_ns_ = target_itl_ns; }

 private:
  const CostModel& cost_model_;
  int64_t target_itl_ns_;
  int64_t overhead_ns_ = 0;  // of recent steps: schedule, sample, publish
};

// What serves when nobody named a target: as slow as a fast reader, or three decode steps, so that
// prompts get most of a step also where decoding itself is slow.
int64_t default_target_itl_ns(const CostModel& cost_model);

}  // namespace twostroke

// EngineCore: what lives on the engine thread: all requests, the scheduler, the KV bookkeeping, the
// runner. One turn applies the commands and runs one step: schedule -> run -> publish. Knows no
// thread; Engine gives it one.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "engine/active_request.h"
#include "engine/command_queue.h"
#include "engine/engine_config.h"
#include "engine/engine_metrics.h"
#include "engine/engine_observer.h"
#include "engine/grammar_worker.h"
#include "engine/model_runner.h"
#include "engine/step_booking.h"
#include "engine/step_targets.h"
#include "engine/token_sampling.h"
#include "kv_cache/kv_cache.h"
#include "phases/cost_model.h"
#include "sampling/sampler.h"
#include "scheduler/scheduler.h"

namespace twostroke {

class EngineCore {
 public:
  EngineCore(const EngineConfig& config, Model& model, const TokenText& token_text,
             const Clock& clock, CommandQueue& commands, EngineObserver& observer);

  enum class Turn { kIdle, kStepped, kQuit };
  Turn turn(CommandQueue::Wait wait);
  bool has_work() const { return scheduler_.has_work(); }
  void check_invariants() const;

  // Any thread.
  EngineStats stats() const { return metrics_.snapshot(); }

  // Before the first turn: teaches the cost model and chooses the target where the config leaves it
  // open. Returns the target.
  int64_t calibrate(const EngineConfig& config, Model& model);

 private:
  void apply(Commands& commands);
  void accept(std::unique_ptr<ActiveRequest> request);
  void cancel(RequestId id);
  void cancel_all();
  void step();
  void sample(const StepPlan& plan);
  Result<SampledToken> sample_row(ActiveRequest& request, std::span<float> logits);
  void publish(const StepPlan& plan);
  void publish_token(ActiveRequest& request, Result<SampledToken>& result);
  void publish_progress(ActiveRequest& request);
  void record(const StepPlan& plan, const StepTimes& times);
  void finish(ActiveRequest& request, TokenEvent last, std::optional<Error> error);
  void update_gauges();
  void publish_records();
  void note(const ActiveRequest& request, RequestChangeKind kind, int64_t at_ns);

  // Ends a step that nobody, or hardly anybody, waits for any more.
  class StepAbort final : public AbortCheck {
   public:
    explicit StepAbort(EngineCore& core) : core_(core) {}
    bool should_abort() override;
    void begin(const StepPlan& plan) { plan_ = &plan; }
    void end(bool aborted) { last_was_aborted_ = aborted; }

   private:
    EngineCore& core_;
    const StepPlan* plan_ = nullptr;
    bool last_was_aborted_ = false;
  };

  const TokenText& token_text_;
  const Clock& clock_;
  CommandQueue& commands_;
  Commands inbox_;
  KvCache kv_cache_;
  Scheduler scheduler_;
  ModelRunner runner_;
  Sampler sampler_;
  GrammarWorker grammar_worker_;
  StepBooking booking_;
  CostModel cost_model_;
  StepTargets targets_;
  EngineMetrics metrics_;
  StepAbort abort_{*this};
  EngineObserver& observer_;
  StepRecord step_record_;                                // of the step under way
  std::vector<Result<SampledToken>> sampled_;             // [max_running], in the plan's order
  std::vector<std::unique_ptr<ActiveRequest>> requests_;  // ascending ids
};

}  // namespace twostroke

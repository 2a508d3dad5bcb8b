#include "engine/step_booking.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace twostroke {
namespace {

Cause cause_of(WaitReason reason) {
  switch (reason) {
    case WaitReason::kKv:
      return Cause::kWaitKv;
    case WaitReason::kBatchLimit:
      return Cause::kWaitBatch;
    case WaitReason::kTurn:
    case WaitReason::kNone:
      break;
  }
  return Cause::kWaitTurn;
}

StepPhase phase_of(const ActiveRequest& request, int first_token) {
  if (request.is_recomputing(first_token)) return StepPhase::kRecompute;
  return request.is_decoding() ? StepPhase::kDecode : StepPhase::kPrefill;
}

StepShape shape_of_item(const ScheduledRequest& item) {
  return shape_of(item.first_token, item.num_tokens, item.needs_logits);
}

}  // namespace

StepBooking::StepBooking(int max_running, EngineObserver& observer)
    : observer_(observer), blame_(max_running) {
  shares_.reserve(static_cast<size_t>(max_running));
  splits_.reserve(static_cast<size_t>(max_running));
  items_.reserve(static_cast<size_t>(max_running));
}

void book_intake(ActiveRequest& request) {
  Ledger& ledger = request.ledger;
  const int64_t queued_ns = request.events.queued_ns;
  // A stage that was not measured (0) books nothing; its time goes to the next one that was.
  ledger.book_until(std::min(request.model_ready_ns, queued_ns), Cause::kWaitModel);
  ledger.book_until(std::min(request.parsed_ns, queued_ns), Cause::kParse);
  ledger.book_until(std::min(request.templated_ns, queued_ns), Cause::kTemplate);
  ledger.book_until(std::min(request.events.tokenized_ns, queued_ns), Cause::kTokenize);
  ledger.book_until(queued_ns, Cause::kEngine);
}

void book_wait(ActiveRequest& request, int64_t until_ns) {
  const int64_t waited_ns = std::max<int64_t>(0, until_ns - request.ledger.booked_until_ns());
  request.ledger.book_until(until_ns, request.wait_cause);
  if (request.wait_cause != Cause::kPreempted) request.waited_for.add_rest(waited_ns);
}

int64_t StepBooking::book(const Scheduler& scheduler, const StepPlan& plan, const StepTimes& times,
                          CostModel& cost_model) {
  StepShape shape;
  for (const ScheduledRequest& item : plan.scheduled) {
    shape += shape_of_item(item);
    ++active(*item.request).num_steps;
  }
  const int64_t predicted_ns = std::llround(cost_model.predict_ns(shape));
  const int64_t forward_ns = times.forward_end_ns - times.forward_start_ns;
  share_out(scheduler, plan, cost_model, forward_ns);
  book_running(scheduler, times);
  book_waiting(scheduler, plan, times);
  if (!times.aborted) cost_model.observe(shape, forward_ns);
  return predicted_ns;
}

// Who had what part in the step, and what it cost.
void StepBooking::share_out(const Scheduler& scheduler, const StepPlan& plan,
                            const CostModel& cost_model, int64_t forward_ns) {
  shares_.clear();
  items_.clear();
  blame_.clear();
  for (Request* request : scheduler.running()) {
    active(*request).share_index = shares_.size();
    shares_.push_back({.first_token = request->num_computed_tokens});
  }
  for (const ScheduledRequest& item : plan.scheduled) {
    const ActiveRequest& request = active(*item.request);
    const StepPhase phase = phase_of(request, item.first_token);
    StepShare& share = shares_[request.share_index];
    share.num_tokens = item.num_tokens;
    share.needs_logits = item.needs_logits;
    share.is_decode = phase == StepPhase::kDecode;
    blame_.add({request.id, phase, cost_model.marginal_ns(shape_of_item(item))});
    items_.push_back({.request = request.id,
                      .first_token = item.first_token,
                      .num_tokens = item.num_tokens,
                      .phase = phase,
                      .has_logits = item.needs_logits ? 1 : 0});
  }
  blame_.rank();
  splits_.resize(shares_.size());
  split_step(cost_model, forward_ns, shares_, splits_);
  for (size_t i = 0; i < items_.size(); ++i) {
    items_[i].own_ns = splits_[active(*plan.scheduled[i].request).share_index].own_ns;
  }
}

void StepBooking::book_running(const Scheduler& scheduler, const StepTimes& times) {
  for (size_t i = 0; i < shares_.size(); ++i) {
    ActiveRequest& request = active(*scheduler.running()[i]);
    if (request.is_waiting) {  // admitted in this step
      book_wait(request, times.start_ns);
      request.is_waiting = false;
      if (request.events.scheduled_ns < 0) {
        request.events.scheduled_ns = times.start_ns;
        observer_.on_change({request.id, RequestChangeKind::kScheduled, times.start_ns});
      }
    }
    request.ledger.book_until(times.forward_start_ns, Cause::kEngine);
    book_forward(request, i, times);
  }
}

void StepBooking::book_forward(ActiveRequest& request, size_t index, const StepTimes& times) {
  const StepShare& share = shares_[index];
  const StepSplit& split = splits_[index];
  Ledger& ledger = request.ledger;
  const bool recomputing = request.is_recomputing(share.first_token);
  if (recomputing) {
    ledger.book_until(times.forward_end_ns, Cause::kPreempted);
  } else if (request.is_decoding()) {
    ledger.book_until(times.forward_end_ns, Cause::kDecodeOwn);
    ledger.move(Cause::kDecodeOwn, Cause::kDecodeBatch, split.decode_others_ns);
    ledger.move(Cause::kDecodeOwn, Cause::kDecodePrefill, split.prefill_others_ns);
  } else {
    ledger.book_until(times.forward_end_ns, Cause::kPrefillOwn);
    ledger.move(Cause::kPrefillOwn, Cause::kPrefillOthers,
                split.decode_others_ns + split.prefill_others_ns);
  }
  if (!recomputing) {
    blame_.blame(request.id, split.decode_others_ns, split.prefill_others_ns, request.interference);
  }
  const bool is_chunk = share.num_tokens > 0 && (recomputing || !request.is_decoding());
  if (!is_chunk) return;
  request.record->add_chunk({.step = observer_.steps().last_step() + 1,
                             .first_token = share.first_token,
                             .num_tokens = share.num_tokens,
                             .start_ns = times.start_ns,
                             .end_ns = times.forward_end_ns,
                             .own_ns = recomputing ? 0 : split.own_ns,
                             .kind = times.aborted ? ChunkKind::kAborted
                                     : recomputing ? ChunkKind::kRecomputed
                                                   : ChunkKind::kComputed});
}

void StepBooking::book_waiting(const Scheduler& scheduler, const StepPlan& plan,
                               const StepTimes& times) {
  for (Request* preempted : plan.preempted) {
    ActiveRequest& request = active(*preempted);
    request.ledger.book_until(times.start_ns, Cause::kEngine);
    request.is_waiting = true;
    request.wait_cause = Cause::kPreempted;
    observer_.on_change({request.id, RequestChangeKind::kPreempted, times.start_ns});
  }
  for (Request* waiting = scheduler.waiting().front(); waiting != nullptr;
       waiting = waiting->next) {
    ActiveRequest& request = active(*waiting);
    if (!request.was_admitted) request.wait_cause = cause_of(plan.wait_reason);
    const int64_t waited_ns = times.forward_end_ns - request.ledger.booked_until_ns();
    request.ledger.book_until(times.forward_end_ns, request.wait_cause);
    if (!request.was_admitted) blame_.blame_wait(request.id, waited_ns, request.waited_for);
  }
}

}  // namespace twostroke

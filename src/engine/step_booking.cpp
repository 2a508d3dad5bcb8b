#include "engine/step_booking.h"

#include <algorithm>
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

void book_forward(ActiveRequest& request, const StepShare& share, const StepSplit& split,
                  int64_t forward_end_ns) {
  Ledger& ledger = request.ledger;
  if (request.is_recomputing(share.first_token)) {
    ledger.book_until(forward_end_ns, Cause::kPreempted);
  } else if (request.is_decoding()) {
    ledger.book_until(forward_end_ns, Cause::kDecodeOwn);
    ledger.move(Cause::kDecodeOwn, Cause::kDecodeBatch, split.decode_others_ns);
    ledger.move(Cause::kDecodeOwn, Cause::kDecodePrefill, split.prefill_others_ns);
  } else {
    ledger.book_until(forward_end_ns, Cause::kPrefillOwn);
    ledger.move(Cause::kPrefillOwn, Cause::kPrefillOthers,
                split.decode_others_ns + split.prefill_others_ns);
  }
}

}  // namespace

StepBooking::StepBooking(int max_running) {
  shares_.reserve(static_cast<size_t>(max_running));
  splits_.reserve(static_cast<size_t>(max_running));
}

void book_intake(ActiveRequest& request) {
  Ledger& ledger = request.ledger;
  // A stage that was not measured (0) books nothing; its time goes to the next one that was.
  ledger.book_until(std::min(request.parsed_ns, request.events.queued_ns), Cause::kParse);
  ledger.book_until(std::min(request.templated_ns, request.events.queued_ns), Cause::kTemplate);
  ledger.book_until(std::min(request.events.tokenized_ns, request.events.queued_ns),
                    Cause::kTokenize);
  ledger.book_until(request.events.queued_ns, Cause::kEngine);
}

void StepBooking::book(const Scheduler& scheduler, const StepPlan& plan, const StepTimes& times,
                       CostModel& cost_model) {
  StepShape shape;
  for (const ScheduledRequest& item : plan.scheduled) {
    shape += shape_of(item.first_token, item.num_tokens, item.needs_logits);
    ++active(*item.request).num_steps;
  }
  book_running(scheduler, plan, times, cost_model);
  book_waiting(scheduler, plan, times);
  if (!times.aborted) cost_model.observe(shape, times.forward_end_ns - times.forward_start_ns);
}

void StepBooking::book_running(const Scheduler& scheduler, const StepPlan& plan,
                               const StepTimes& times, const CostModel& cost_model) {
  shares_.clear();
  for (Request* request : scheduler.running()) {
    active(*request).share_index = shares_.size();
    shares_.push_back(
        {.first_token = request->num_computed_tokens, .is_decode = active(*request).is_decoding()});
  }
  for (const ScheduledRequest& item : plan.scheduled) {
    StepShare& share = shares_[active(*item.request).share_index];
    share.num_tokens = item.num_tokens;
    share.needs_logits = item.needs_logits;
  }
  splits_.resize(shares_.size());
  split_step(cost_model, times.forward_end_ns - times.forward_start_ns, shares_, splits_);
  for (size_t i = 0; i < shares_.size(); ++i) {
    ActiveRequest& request = active(*scheduler.running()[i]);
    if (request.is_waiting) {  // admitted in this step
      request.ledger.book_until(times.start_ns, request.wait_cause);
      request.is_waiting = false;
      if (request.events.scheduled_ns < 0) request.events.scheduled_ns = times.start_ns;
    }
    request.ledger.book_until(times.forward_start_ns, Cause::kEngine);
    book_forward(request, shares_[i], splits_[i], times.forward_end_ns);
  }
}

void StepBooking::book_waiting(const Scheduler& scheduler, const StepPlan& plan,
                               const StepTimes& times) {
  for (Request* preempted : plan.preempted) {
    ActiveRequest& request = active(*preempted);
    request.ledger.book_until(times.start_ns, Cause::kEngine);
    request.is_waiting = true;
    request.wait_cause = Cause::kPreempted;
  }
  for (Request* waiting = scheduler.waiting().front(); waiting != nullptr;
       waiting = waiting->next) {
    ActiveRequest& request = active(*waiting);
    if (!request.was_admitted) request.wait_cause = cause_of(plan.wait_reason);
    request.ledger.book_until(times.forward_end_ns, request.wait_cause);
  }
}

}  // namespace twostroke

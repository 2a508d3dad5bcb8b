#include "engine/record_keeping.h"

namespace twostroke {
namespace {

RequestPhase phase_of(const ActiveRequest& request) {
  if (request.is_waiting) {
    return request.was_admitted ? RequestPhase::kPreempted : RequestPhase::kWaiting;
  }
  if (request.is_recomputing(request.num_computed_tokens)) return RequestPhase::kPreempted;
  return request.is_decoding() ? RequestPhase::kDecode : RequestPhase::kPrefill;
}

RequestProgress progress_of(const ActiveRequest& request) {
  RequestProgress progress;
  progress.wait_cause = request.wait_cause;
  progress.num_cached_tokens = request.num_cached_tokens;
  progress.num_computed_tokens = request.num_computed_tokens;
  progress.num_output_tokens = request.num_output_tokens();
  progress.num_steps = request.num_steps;
  progress.num_preemptions = request.num_preemptions;
  progress.events = request.events;
  progress.ledger = request.ledger;
  progress.interference = request.interference.summary();
  progress.waited_for = request.waited_for.summary();
  return progress;
}

RequestEnd end_of(FinishReason reason) {
  if (reason == FinishReason::kCancelled) return RequestEnd::kCancelled;
  return reason == FinishReason::kError ? RequestEnd::kError : RequestEnd::kComplete;
}

}  // namespace

void publish_record(ActiveRequest& request) {
  RequestProgress progress = progress_of(request);
  progress.phase = phase_of(request);
  request.record->publish(progress);
}

void publish_end(ActiveRequest& request, FinishReason reason) {
  RequestProgress progress = progress_of(request);
  const bool is_over =
      request.record->about().reply_id.empty() || reason == FinishReason::kCancelled;
  progress.phase = is_over ? RequestPhase::kFinished : RequestPhase::kDelivering;
  progress.finish_reason = reason;
  if (is_over) progress.end = end_of(reason);
  request.record->publish(progress);
}

}  // namespace twostroke

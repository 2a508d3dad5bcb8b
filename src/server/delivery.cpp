#include "server/delivery.h"

#include <algorithm>

#include "engine/engine_observer.h"

namespace twostroke {
namespace {

void book_until(RequestSummary& summary, const Blocked& blocked, int64_t now_ns) {
  summary.ledger.book_until(std::min(blocked.from_ns, now_ns), Cause::kEngine);
  summary.ledger.book_until(std::min(blocked.until_ns, now_ns), Cause::kClient);
  summary.ledger.book_until(now_ns, Cause::kEngine);
  summary.events.finished_ns = std::max(now_ns, summary.ledger.booked_until_ns());
}

void publish(const Choice& choice, RequestPhase phase, RequestEnd end) {
  RequestRecord* record = choice.tokens->record().get();
  if (record == nullptr) return;
  RequestProgress progress = record->progress();
  progress.events = choice.summary.events;
  progress.ledger = choice.summary.ledger;
  progress.phase = phase;
  progress.end = end;
  record->publish(progress);
}

void finish(GenerationBase& base, Choice& choice, RequestEnd end, int64_t now_ns) {
  choice.delivered = true;
  publish(choice, RequestPhase::kFinished, end);
  base.context.engine.observer().on_delivered(
      {.request = choice.id, .kind = RequestChangeKind::kDelivered, .at_ns = now_ns});
}

RequestEnd end_of(const RequestSummary& summary) {
  if (summary.finish_reason == FinishReason::kCancelled) return RequestEnd::kCancelled;
  return summary.finish_reason == FinishReason::kError ? RequestEnd::kError : RequestEnd::kComplete;
}

}  // namespace

void close_choice(Choice& choice, const Blocked& last_blocked, int64_t now_ns) {
  choice.summary = choice.tokens->summary();
  choice.output_tokens = choice.summary.num_output_tokens;
  book_until(choice.summary, last_blocked, now_ns);
  choice.ended = true;
  const bool cancelled = choice.summary.finish_reason == FinishReason::kCancelled;
  publish(choice, cancelled ? RequestPhase::kFinished : RequestPhase::kDelivering,
          cancelled ? RequestEnd::kCancelled : RequestEnd::kNone);
}

void on_sent(GenerationBase& base, const Blocked& blocked, int64_t now_ns) {
  for (Choice& choice : base.choices) {
    if (choice.tokens->record() && choice.unsent_tokens > 0) {
      choice.tokens->record()->add_sent(choice.unsent_tokens, now_ns);
    }
    choice.unsent_tokens = 0;
    if (!choice.ended || choice.delivered) continue;
    if (blocked.from_ns >= 0) book_until(choice.summary, {blocked.from_ns, now_ns}, now_ns);
    finish(base, choice, end_of(choice.summary), now_ns);
  }
}

void on_gone(GenerationBase& base, RequestEnd why, int64_t now_ns) {
  for (Choice& choice : base.choices) {
    if (choice.delivered || choice.tokens->record() == nullptr) continue;
    choice.tokens->record()->set_end(why);
    if (!choice.tokens->finished()) {
      choice.tokens->record()->count_if_over();
      continue;
    }
    if (!choice.ended) {
      choice.summary = choice.tokens->summary();
      choice.ended = true;
    }
    // It is the client that did not take what was there.
    const int64_t from_ns = choice.summary.ledger.booked_until_ns();
    book_until(choice.summary, {from_ns, now_ns}, now_ns);
    finish(base, choice, why, now_ns);
  }
}

}  // namespace twostroke

#include "phases/ledger.h"

#include <algorithm>

#include "base/check.h"

namespace twostroke {
namespace {

constexpr std::array<std::string_view, kNumCauses> kCauseNames = {
    "parse",     "template",    "tokenize",       "wait_model", "wait_kv",      "wait_batch",
    "wait_turn", "prefill_own", "prefill_others", "decode_own", "decode_batch", "decode_prefill",
    "preempted", "sample",      "engine",         "client"};

int64_t between(int64_t from_ns, int64_t to_ns) {
  return from_ns < 0 || to_ns < 0 ? 0 : std::max<int64_t>(0, to_ns - from_ns);
}

}  // namespace

std::string_view cause_name(Cause cause) {
  const auto index = static_cast<size_t>(cause);
  CHECK_LT(index, kCauseNames.size());
  return kCauseNames[index];
}

RequestIntervals intervals_of(const RequestEvents& events, int num_output_tokens) {
  RequestIntervals intervals;
  intervals.intake_ns = between(events.received_ns, events.queued_ns);
  intervals.queue_ns = between(events.queued_ns, events.scheduled_ns);
  intervals.prefill_ns = between(events.scheduled_ns, events.first_token_ns);
  intervals.decode_ns = between(events.first_token_ns, events.last_token_ns);
  intervals.delivery_ns = between(events.last_token_ns, events.finished_ns);
  intervals.ttft_ns = between(events.received_ns, events.first_token_ns);
  if (num_output_tokens > 1) {
    intervals.tpot_ns = static_cast<double>(intervals.decode_ns) / (num_output_tokens - 1);
  }
  return intervals;
}

void Ledger::book_until(int64_t until_ns, Cause cause) {
  if (until_ns <= booked_until_ns_) return;
  causes_ns_[static_cast<size_t>(cause)] += until_ns - booked_until_ns_;
  booked_until_ns_ = until_ns;
}

void Ledger::move(Cause from, Cause to, int64_t ns) {
  CHECK_GE(ns, 0);
  const int64_t moved = std::min(ns, of(from));
  causes_ns_[static_cast<size_t>(from)] -= moved;
  causes_ns_[static_cast<size_t>(to)] += moved;
}

}  // namespace twostroke

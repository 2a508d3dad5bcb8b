#include "engine/tallies.h"

#include <cmath>

namespace twostroke {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr int64_t kUs = 1000, kMs = 1000 * kUs, kS = 1000 * kMs;

// From what a small model on a fast machine needs for a token to what nobody waits for.
constexpr std::array kGapBoundsNs = {
    500 * kUs, 1 * kMs,  2 * kMs,  3 * kMs,   5 * kMs,   7500 * kUs, 10 * kMs, 15 * kMs, 20 * kMs,
    30 * kMs,  50 * kMs, 75 * kMs, 100 * kMs, 200 * kMs, 500 * kMs,  1 * kS,   5 * kS};
constexpr std::array kPhaseBoundsNs = {1 * kMs,   2500 * kUs, 5 * kMs,   10 * kMs,   25 * kMs,
                                       50 * kMs,  75 * kMs,   100 * kMs, 150 * kMs,  250 * kMs,
                                       500 * kMs, 750 * kMs,  1 * kS,    1500 * kMs, 2500 * kMs,
                                       5 * kS,    10 * kS,    20 * kS,   30 * kS,    60 * kS};
constexpr std::array<int64_t, 17> kTokenBounds = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000};
constexpr std::array<int64_t, 13> kStepBounds = {1,   2,   4,   8,    16,   32,  64,
                                                 128, 256, 512, 1024, 2048, 4096};

void add_between(Histogram& histogram, int64_t from_ns, int64_t to_ns) {
  if (from_ns >= 0 && to_ns >= 0) histogram.add(to_ns - from_ns);
}

}  // namespace

Tallies::Tallies()
    : ttft_ns(kPhaseBoundsNs),
      tpot_ns(kGapBoundsNs),
      inter_token_ns(kGapBoundsNs),
      life_ns(kPhaseBoundsNs),
      intake_ns(kPhaseBoundsNs),
      queue_ns(kPhaseBoundsNs),
      prefill_ns(kPhaseBoundsNs),
      decode_ns(kPhaseBoundsNs),
      delivery_ns(kPhaseBoundsNs),
      inference_ns(kPhaseBoundsNs),
      prompt_tokens(kTokenBounds),
      output_tokens(kTokenBounds),
      max_tokens(kTokenBounds),
      step_tokens(kStepBounds) {}

void Tallies::add_request(const RequestAbout& about, const RequestProgress& progress) {
  const RequestEvents& events = progress.events;
  add_between(ttft_ns, events.received_ns, events.first_token_ns);
  add_between(intake_ns, events.received_ns, events.queued_ns);
  add_between(queue_ns, events.queued_ns, events.scheduled_ns);
  add_between(prefill_ns, events.scheduled_ns, events.first_token_ns);
  add_between(decode_ns, events.first_token_ns, events.last_token_ns);
  add_between(delivery_ns, events.last_token_ns, events.finished_ns);
  add_between(inference_ns, events.scheduled_ns, events.last_token_ns);
  life_ns.add(progress.ledger.total_ns());
  if (progress.num_output_tokens > 1) {
    tpot_ns.add(std::llround(intervals_of(events, progress.num_output_tokens).tpot_ns));
  }
  prompt_tokens.add(about.num_prompt_tokens);
  output_tokens.add(progress.num_output_tokens);
  max_tokens.add(about.max_tokens);
  for (size_t i = 0; i < causes_ns.size(); ++i) {
    causes_ns[i].fetch_add(progress.ledger.causes_ns()[i], kRelaxed);
  }
  ends[static_cast<size_t>(progress.end)].fetch_add(1, kRelaxed);
  reasons[static_cast<size_t>(progress.finish_reason)].fetch_add(1, kRelaxed);
}

void Tallies::add_step(const StepRecord& step) {
  step_tokens.add(step.num_prefill_tokens + step.num_decode_tokens);
  const std::array<int64_t, kNumParts + 1> times = {
      step.start_ns, step.forward_start_ns, step.forward_end_ns, step.sample_end_ns, step.end_ns};
  for (size_t i = 0; i < kNumParts; ++i) {
    parts_ns[i].fetch_add(times[i + 1] - times[i], kRelaxed);
  }
}

}  // namespace twostroke

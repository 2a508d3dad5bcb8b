// Tallies: what is counted over all requests and steps since the start, for metrics. Each request
// is counted once, when it is over for good. Any thread adds without waiting; relaxed atomics, each
// exact by itself. Definitions of the intervals: docs/phases.md.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "engine/histogram.h"
#include "engine/request_record.h"
#include "engine/step_log.h"

namespace twostroke {

struct Tallies {
  static constexpr size_t kNumEnds = 6;     // of RequestEnd
  static constexpr size_t kNumReasons = 5;  // of FinishReason
  static constexpr size_t kNumParts = 4;    // of a step: schedule, forward, sample, publish

  Tallies();
  void add_request(const RequestAbout& about, const RequestProgress& progress);
  // From one sampled token of a request to its next.
  void add_gap(int64_t ns) { inter_token_ns.add(ns); }
  void add_step(const StepRecord& step);

  // In ns. An interval is counted where both of its events happened.
  Histogram ttft_ns, tpot_ns, inter_token_ns, life_ns, intake_ns, queue_ns, prefill_ns, decode_ns,
      delivery_ns, inference_ns;
  // In tokens.
  Histogram prompt_tokens, output_tokens, max_tokens, step_tokens;
  std::array<std::atomic<int64_t>, kNumCauses> causes_ns{};
  std::array<std::atomic<int64_t>, kNumEnds> ends{};
  std::array<std::atomic<int64_t>, kNumReasons> reasons{};
  std::array<std::atomic<int64_t>, kNumParts> parts_ns{};
};

}  // namespace twostroke

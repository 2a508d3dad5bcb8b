// The numbers in a reply: `usage`, `timings` (llama-server's names) and `phases` (docs/phases.md).
// Summaries in, JSON out.
//
// timings: prompt_ms is scheduled -> first token, so it holds what other requests cost in the same
// steps, but no queue. predicted_ms is first -> last token; the first token belongs to the prompt,
// so per-token figures divide by predicted_n - 1 (llama-server divides by predicted_n and comes out
// a little faster).
#pragma once

#include <cstdint>
#include <span>

#include "engine/token_stream.h"
#include "phases/machine_limits.h"
#include "server/json_text.h"

namespace twostroke {

// Sums over the choices of one reply; a prompt counts once, however many choices it has.
struct Usage {
  int64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
};

OrderedJson usage_json(const Usage& usage);

// Of all choices together: tokens are added, times run from the earliest start to the latest end.
OrderedJson timings_json(std::span<const RequestSummary> summaries);

// While a request is still running: what `timings_per_token` shows.
OrderedJson partial_timings_json(int64_t first_token_ns, int64_t now_ns, int num_output_tokens);

// The object of docs/phases-api.md. The sum of causes_ns is total_ns, exactly.
OrderedJson phases_json(const RequestSummary& summary, const MachineReport& machine = {});
// Its parts.
OrderedJson events_json(const RequestEvents& events);
OrderedJson intervals_json(const RequestIntervals& intervals);
OrderedJson blame_json(const BlameSummary& blame);  // the most expensive, as a list

}  // namespace twostroke

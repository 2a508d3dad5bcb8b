// GET /v1/events: what happens in the engine, as server-sent events. A subscriber is a cursor into
// the engine's rings: it costs the engine nothing, and what it is too slow for is counted and left
// out.
#pragma once

#include <memory>

#include "server/reply.h"

namespace twostroke {

struct EventStreamOptions {
  int interval_ms = 100;  // between two batches
};

// Null when there are as many subscribers as there may be. `serving.context` outlives the stream.
std::unique_ptr<ReplySource> make_event_stream(const Serving& serving,
                                               const EventStreamOptions& options);

inline constexpr int kMaxEventStreams = 8;
inline constexpr int kMaxStepsPerBatch = 64;

}  // namespace twostroke

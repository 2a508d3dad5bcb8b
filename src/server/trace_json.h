// GET /v1/trace: steps and requests in the Trace Event Format, as ui.perfetto.dev and
// chrome://tracing read it. Built from the engine's rings, so its size is bounded by theirs.
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine_observer.h"

namespace twostroke {

// What overlaps [from_ns, to_ns] and is still known. Times are microseconds on the server clock.
std::string trace_json(const EngineObserver& observer, int64_t from_ns, int64_t to_ns);

}  // namespace twostroke

// Stored runs as JSON and CSV, for `twostroke runs`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "measure/history/run_history.h"

namespace twostroke {

// "2026-11-25T04:20:00Z".
std::string utc_text(int64_t unix_ms);

// Everything of a run. `with_requests`: the array "requests" too. What is stored and is not JSON
// becomes a string.
nlohmann::ordered_json run_as_json(const StoredRun& run, bool with_requests);

// RFC 4180: fields with a comma, quote or line end are quoted; numbers are shortest round trip.
// One header line, one line per run.
std::string runs_as_csv(std::span<const StoredRun> runs);
// One line per request of these runs; columns are run_id and every number, text or truth value that
// any request has, in order of appearance.
std::string requests_as_csv(std::span<const StoredRun> runs);

// One field. A text that a spreadsheet would run as a formula keeps its first character behind a
// quote mark.
std::string csv_field(std::string_view text);

}  // namespace twostroke

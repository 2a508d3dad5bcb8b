// Reads what explain() needs out of a saved reply: its `phases` object and `usage`. Anything that
// is missing counts as not known.
#pragma once

#include "base/result.h"
#include "measure/json_value.h"
#include "phases/explain.h"

namespace twostroke {

// `reply`: a chat or completion reply that was asked with "phases": true, an object of
// GET /v1/requests/{id}, or a phases object itself. kInvalidArgument when it has no causes.
Result<ExplainInput> input_of_saved_phases(const Json& reply);

}  // namespace twostroke

// Calibration: runs a few made-up steps before anybody is served, so that the cost model's first
// predictions come from this machine and this model.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "model/model.h"
#include "phases/cost_model.h"

namespace twostroke {

// Steps of one token, of few and of many, small first, as long as the next one is predicted to end
// within `budget_ns` of the start; the smallest always run. Writes KV into the model's first
// blocks: nobody's may be in them. REQUIRES: max_step_tokens >= 1.
void calibrate(Model& model, const Clock& clock, int max_step_tokens, int64_t budget_ns,
               CostModel& cost_model);

}  // namespace twostroke

// What a request would have taken with another prompt, cache, batch or answer length: the cost
// model walks through the steps that the engine would make, anchored on what this request measured.
// An estimate; its error bars are the cost model's own record. Plain data in, plain data out.
#pragma once

#include <cstdint>

#include "phases/cost_model.h"
#include "phases/ledger.h"

namespace twostroke {

// The size of a request, and who decodes beside it.
struct RequestSize {
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of the prompt, whose KV is there
  int output_tokens = 0;
  int batch = 1;  // requests that decode together, this one included
};

// How the engine cuts a prompt into steps.
struct StepLimits {
  int max_step_tokens = 512;
  int max_prefill_tokens_with_decode = 512;
};

// What the request measured, which the prediction is anchored on; zero: not known.
struct RequestAnchor {
  // Measured over predicted, of the request's own prefill and decode: 1 when they agree.
  double prefill_scale = 1, decode_scale = 1;
  int64_t ttft_overhead_ns = 0;   // of TTFT: neither waiting nor the model (intake, sampling)
  int64_t token_overhead_ns = 0;  // of each further token
};

// From what was booked. `measured`: as it ran. A request that others disturbed is anchored on its
// own parts.
RequestAnchor anchor_of(const CostModel& model, const RequestSize& measured,
                        const StepLimits& limits, const Ledger& ledger,
                        const RequestIntervals& intervals);

struct Estimate {
  double ns = 0;
  double low_ns = 0, high_ns = 0;  // 95 of 100 should lie between
};

struct Prediction {
  Estimate ttft, tpot;  // on a server where nobody else waits or reads a prompt
  double total_ns = 0;  // of both strokes
};

// REQUIRES: 0 <= cached_tokens < prompt_tokens, output_tokens >= 1, batch >= 1.
Prediction predict_request(const CostModel& model, const RequestSize& size,
                           const StepLimits& limits, const RequestAnchor& anchor);

}  // namespace twostroke

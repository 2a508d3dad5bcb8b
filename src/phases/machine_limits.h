// What a request is held against: what the machine can do, as measured when the process started,
// and what the model asks of it. Plain data; zero means that it is not known.
#pragma once

#include <cstdint>

#include "phases/ledger.h"

namespace twostroke {

// Measured by a short probe.
struct MachineLimits {
  double read_bytes_per_second = 0;  // all threads reading memory
  double macs_per_second = 0;        // all threads multiplying from their caches
};

// What the model's work amounts to; from its shapes, exact.
struct ModelCosts {
  int64_t layer_macs_per_token = 0;   // all layers, without attention
  int64_t head_macs_per_row = 0;      // for each row whose logits are wanted
  int64_t weight_bytes_per_step = 0;  // weights that a decode step reads
  double kv_bytes_per_key = 0;        // KV that a token reads for each token before it
};

// How the limits and the cost model came about.
struct MachineReport {
  MachineLimits limits;
  ModelCosts costs;
  int64_t probe_ns = 0;        // what measuring the limits took
  int64_t calibration_ns = 0;  // and the calibration of the cost model
  int64_t calibration_steps = 0;
};

// How fast one request's two strokes were in the time that its own tokens cost: what its prompt's
// tokens multiplied and what its output tokens read, as if it had been alone. 0: there was none.
struct Roofline {
  double prefill_macs_per_second = 0;
  double decode_bytes_per_second = 0;
};
Roofline roofline_of(const MachineReport& machine, int num_prompt_tokens, int num_cached_tokens,
                     int num_output_tokens, const Ledger& ledger);

}  // namespace twostroke

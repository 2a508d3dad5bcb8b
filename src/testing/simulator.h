// Simulator: one engine, a made-up machine and a crowd of random clients, all from one seed and on
// one thread. Real scheduler, KV cache and engine step; FakeModel and ManualClock. Every answer is
// compared with an offline loop over the same hash, every ledger and every block is accounted for
// after every step. A seed and a commit reproduce everything.
#pragma once

#include <cstdint>
#include <string>

namespace twostroke {

// What happened, so that a test can see that the seeds reach the corners they are for.
struct SimulationTally {
  int64_t num_requests = 0, num_refused = 0, num_steps = 0;
  int64_t num_stopped = 0, num_stop_strings = 0, num_length = 0, num_cancelled = 0, num_errors = 0;
  int64_t num_cancelled_before_first_token = 0;
  int64_t num_preemptions = 0, num_cached_tokens = 0, num_output_tokens = 0, num_resets = 0;

  SimulationTally& operator+=(const SimulationTally& other);
};

struct SimulationOutcome {
  SimulationTally tally;
  std::string failure;  // empty: all well
};

// Broken bookkeeping inside engine, cache or model is a CHECK failure; a wrong answer or ledger
// comes back as text.
SimulationOutcome run_simulation(uint64_t seed);

}  // namespace twostroke

// When requests come, decided before the run: the server's speed has no say in an open loop.
#pragma once

#include <cstdint>
#include <vector>

#include "measure/load_config.h"

namespace twostroke {

// `count` times in ns from the start, in order: gaps from a gamma distribution of shape
// `burstiness` around the rate of that moment, scaled so that the last request comes exactly when
// the rates say (a Poisson process, given how many come by then). A function of its arguments
// alone. REQUIRES: open loop, rate_per_s > 0, burstiness > 0.
std::vector<int64_t> arrival_times_ns(const ArrivalConfig& arrival, int count, uint64_t seed);

// One draw of a gamma distribution with mean 1 and the given shape: Marsaglia and Tsang, "A simple
// method for generating gamma variables", 2000. `index` names the draw.
double gamma_of_mean_one(double shape, uint64_t seed, uint64_t index);

}  // namespace twostroke

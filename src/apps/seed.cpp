#include "apps/seed.h"

#include <sys/random.h>

#include "base/clock.h"

namespace twostroke {

uint64_t fresh_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) == static_cast<ssize_t>(sizeof(seed))) return seed;
  return static_cast<uint64_t>(SteadyClock().now_ns());
}

}  // namespace twostroke

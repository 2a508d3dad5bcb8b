#include "measure/decide/block_plan.h"

#include "base/philox.h"

namespace twostroke {

std::vector<PlannedBlock> plan_blocks(int num_blocks, uint64_t seed) {
  const PhiloxKey key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  std::vector<PlannedBlock> blocks;
  for (int i = 0; i < num_blocks; ++i) {
    const PhiloxCounter random = philox4x32({static_cast<uint32_t>(i), 0, 0, 0xB10C}, key);
    // 53 bits: a seed must survive JSON.
    const uint64_t load_seed = (uint64_t{random[1]} << 21) ^ random[2];
    blocks.push_back({.a_first = (random[0] & 1) != 0, .load_seed = load_seed});
  }
  return blocks;
}

}  // namespace twostroke

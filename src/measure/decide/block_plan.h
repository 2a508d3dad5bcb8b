// The order of a comparison's runs: fixed by a seed before the first one starts.
#pragma once

#include <cstdint>
#include <vector>

namespace twostroke {

struct PlannedBlock {
  bool a_first = true;
  uint64_t load_seed = 0;  // of both sides' load; each block has its own
};

// Each block's order is a fair coin of its own: what makes flipping signs an exact test.
std::vector<PlannedBlock> plan_blocks(int num_blocks, uint64_t seed);

}  // namespace twostroke

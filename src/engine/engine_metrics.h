// EngineMetrics: the counters and gauges behind EngineStats. The engine thread writes, anyone
// reads: relaxed atomics, each exact by itself, no two of them necessarily from the same step.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/engine_client.h"

namespace twostroke {

struct EngineMetrics {
  std::atomic<int> num_running{0}, num_waiting{0};
  std::atomic<int> num_blocks_total{0}, num_blocks_free{0}, num_blocks_cached{0};
  std::atomic<int64_t> num_steps{0}, num_prompt_tokens{0}, num_cached_tokens{0};
  std::atomic<int64_t> num_output_tokens{0}, num_preemptions{0};

  EngineStats snapshot() const {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    return {.num_running = num_running.load(kRelaxed),
            .num_waiting = num_waiting.load(kRelaxed),
            .num_blocks_total = num_blocks_total.load(kRelaxed),
            .num_blocks_free = num_blocks_free.load(kRelaxed),
            .num_blocks_cached = num_blocks_cached.load(kRelaxed),
            .num_steps = num_steps.load(kRelaxed),
            .num_prompt_tokens = num_prompt_tokens.load(kRelaxed),
            .num_cached_tokens = num_cached_tokens.load(kRelaxed),
            .num_output_tokens = num_output_tokens.load(kRelaxed),
            .num_preemptions = num_preemptions.load(kRelaxed)};
  }
};

}  // namespace twostroke

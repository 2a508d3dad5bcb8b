// Rotary position embedding: cosines and sines by position, for plain, linear, llama3 and YaRN
// scaling. Grown on demand in steps of positions by the engine thread; read by all workers within a
// step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace twostroke {

enum class RopeScaling { kNone, kLinear, kYarn };

struct RopeConfig {
  int rope_dim = 0;  // even; dimensions of a head that are rotated
  float freq_base = 10000.0F;
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1.0F;              // > 0; positions are divided by it (linear), or partly (YaRN)
  int original_context_length = 0;  // YaRN: the context the model was first trained with
  float yarn_attn_factor = 1.0F;
  float yarn_ext_factor = 1.0F;
  float yarn_beta_fast = 32.0F;
  float yarn_beta_slow = 1.0F;
  std::vector<float>
      freq_factors;  // llama3: [rope_dim / 2] divisors of the frequencies; empty: ones
};

class RopeTable {
 public:
  explicit RopeTable(RopeConfig config);

  // Makes positions [0, num_positions) available. Invalidates earlier spans.
  void ensure(int num_positions);
  // [rope_dim / 2] each. REQUIRES: 0 <= position < the largest ensured.
  const float* cos(int position) const { return row(position); }
  const float* sin(int position) const { return row(position) + half_dim_; }

 private:
  const float* row(int position) const {
    return table_.data() + static_cast<size_t>(position) * static_cast<size_t>(2 * half_dim_);
  }

  RopeConfig config_;
  int half_dim_;
  std::vector<double> frequencies_;  // [rope_dim / 2] radians per position, scaling applied
  double magnitude_ = 1.0;           // YaRN's attention factor, multiplied into both
  std::vector<float> table_;         // [num_positions, 2, rope_dim / 2]
};

}  // namespace twostroke

// StepLimits: how much one step may hold beside the scheduler's own token limits. A limit is in
// units of cost; what a unit is and how a cost is worked out is the engine's business (it predicts
// nanoseconds), so that the scheduler needs neither a clock nor a float.
#pragma once

#include <cstdint>
#include <limits>

namespace twostroke {

// What a step holds, in the terms that decide what it costs.
struct StepLoad {
  int64_t num_tokens = 0;
  int64_t token_contexts = 0;  // for each token, the tokens it looks at; summed
  int64_t num_logits = 0;      // tokens whose logits are wanted
};
StepLoad load_of(int first_token, int num_tokens, bool needs_logits);
StepLoad operator+(StepLoad sum, const StepLoad& added);
StepLoad operator-(StepLoad sum, const StepLoad& removed);

class StepCost {
 public:
  virtual ~StepCost() = default;
  // Of a whole step, >= 0; more load never costs less.
  virtual int64_t cost_of(const StepLoad& load) const = 0;
};

struct StepLimits {
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  const StepCost* cost = nullptr;   // nullptr: only token limits count
  int64_t max_with_decode = kNone;  // of a step in which anyone decodes
  int64_t max_without = kNone;      // of a step that only reads prompts
};

// The most tokens in [0, num_wanted] of a sequence that has `first_token` before them that keep a
// step, which already holds `load`, within `limit`. The last of the wanted tokens needs logits.
int tokens_within(const StepCost& cost, const StepLoad& load, int first_token, int num_wanted,
                  int64_t limit);

}  // namespace twostroke

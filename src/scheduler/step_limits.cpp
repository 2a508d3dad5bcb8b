#include "scheduler/step_limits.h"

namespace twostroke {

StepLoad load_of(int first_token, int num_tokens, bool needs_logits) {
  const int64_t n = num_tokens;
  return {.num_tokens = n,
          .token_contexts = n * first_token + n * (n + 1) / 2,
          .num_logits = needs_logits ? 1 : 0};
}

StepLoad operator+(StepLoad sum, const StepLoad& added) {
  sum.num_tokens += added.num_tokens;
  sum.token_contexts += added.token_contexts;
  sum.num_logits += added.num_logits;
  return sum;
}

StepLoad operator-(StepLoad sum, const StepLoad& removed) {
  sum.num_tokens -= removed.num_tokens;
  sum.token_contexts -= removed.token_contexts;
  sum.num_logits -= removed.num_logits;
  return sum;
}

int tokens_within(const StepCost& cost, const StepLoad& load, int first_token, int num_wanted,
                  int64_t limit) {
  const auto fits = [&](int num_tokens) {
    const StepLoad whole = load + load_of(first_token, num_tokens, num_tokens == num_wanted);
    return cost.cost_of(whole) <= limit;
  };
  if (fits(num_wanted)) return num_wanted;
  int fitting = 0;
  int too_many = num_wanted;
  while (too_many - fitting > 1) {
    const int middle = fitting + (too_many - fitting) / 2;
    (fits(middle) ? fitting : too_many) = middle;
  }
  return fitting;
}

}  // namespace twostroke

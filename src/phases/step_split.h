// The rule that splits one step's forward time among causes, for each request that was running.
// Written once, here. Plain data in, plain data out.
#pragma once

#include <cstdint>
#include <span>

#include "phases/cost_model.h"

namespace twostroke {

// One running request's part in a step; no tokens when the budget went to others.
struct StepShare {
  int first_token = 0;
  int num_tokens = 0;
  bool needs_logits = false;
  bool is_decode = false;  // it already has its first token
};

// Sums to the step's forward time, exactly.
struct StepSplit {
  int64_t own_ns = 0;             // what its tokens cost had it been alone
  int64_t decode_others_ns = 0;   // more because of other requests' decode tokens
  int64_t prefill_others_ns = 0;  // more because of other requests' prompts
};

// Splits `forward_ns` (>= 0) for every share; `splits` has the size of `shares`.
//
// own = forward * predicted(alone) / predicted(step), never more than forward: the cost model gives
// the proportion, the clock the size, so a step that was slow as a whole (a busy machine) is slow
// for everyone's own part too. The rest is split between the others' decode and prefill tokens in
// proportion to what the cost model says they add. With nobody else in the step all of it is own; a
// request without tokens in the step has no own part.
//
// Worked example. Fixed 4 ms, 0.1 ms a token, no other terms; measured 20 ms. The step holds A and
// B, decoding (1 token each), and a chunk of 98 tokens of C: 100 tokens, predicted 4 + 10 = 14 ms.
//   A: alone 4.1 ms -> own = 20 * 4.1 / 14 = 5.857 ms; rest 14.143 ms, of which B's token 1/99 =
//   0.143 ms is decode and
//      C's 98/99 = 14.000 ms is prefill: interference.     B: the same with A for B.
//   C: alone 4 + 9.8 = 13.8 ms -> own = 20 * 13.8 / 14 = 19.714 ms; A and B together 0.286 ms.
void split_step(const CostModel& model, int64_t forward_ns, std::span<const StepShare> shares,
                std::span<StepSplit> splits);

}  // namespace twostroke

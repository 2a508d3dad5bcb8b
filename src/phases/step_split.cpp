#include "phases/step_split.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace twostroke {
namespace {

// `part` / `whole` of `ns`, in [0, ns]; all of it when there is nothing to divide by.
int64_t fraction_of(int64_t ns, double part, double whole) {
  if (!(whole > 0)) return ns;
  const double share = static_cast<double>(ns) * std::clamp(part / whole, 0.0, 1.0);
  return std::clamp<int64_t>(std::llround(share), 0, ns);
}

StepShape shape_of_share(const StepShare& share) {
  return share.num_tokens == 0 ? StepShape{}
                               : shape_of(share.first_token, share.num_tokens, share.needs_logits);
}

}  // namespace

void split_step(const CostModel& model, int64_t forward_ns, std::span<const StepShare> shares,
                std::span<StepSplit> splits) {
  CHECK_EQ(shares.size(), splits.size());
  CHECK_GE(forward_ns, 0);
  StepShape whole;
  double decode_ns = 0;  // what the tokens of each phase add to the step
  double prefill_ns = 0;
  int num_with_tokens = 0;
  for (const StepShare& share : shares) {
    whole += shape_of_share(share);
    (share.is_decode ? decode_ns : prefill_ns) += model.marginal_ns(shape_of_share(share));
    num_with_tokens += share.num_tokens > 0 ? 1 : 0;
  }
  const double step_ns = model.predict_ns(whole);
  for (size_t i = 0; i < shares.size(); ++i) {
    const StepShare& share = shares[i];
    StepSplit& split = splits[i];
    const StepShape shape = shape_of_share(share);
    const bool alone = share.num_tokens > 0 && num_with_tokens == 1;
    split.own_ns = share.num_tokens == 0 ? 0
                   : alone               ? forward_ns
                           : fraction_of(forward_ns, model.predict_ns(shape), step_ns);
    const int64_t rest_ns = forward_ns - split.own_ns;
    const double own_marginal = model.marginal_ns(shape);
    const double others_decode = std::max(0.0, decode_ns - (share.is_decode ? own_marginal : 0));
    const double others_prefill = std::max(0.0, prefill_ns - (share.is_decode ? 0 : own_marginal));
    split.prefill_others_ns = fraction_of(rest_ns, others_prefill, others_prefill + others_decode);
    split.decode_others_ns = rest_ns - split.prefill_others_ns;
  }
}

}  // namespace twostroke

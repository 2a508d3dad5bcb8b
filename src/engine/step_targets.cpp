#include "engine/step_targets.h"

#include <algorithm>

namespace twostroke {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
// Steps that only read prompts: large enough to be as fast as any, short enough for who comes next.
constexpr int64_t kPromptStepTargets = 4;
constexpr int64_t kMinPromptStepNs = 200 * kMillisecond;
constexpr int64_t kMaxPromptStepNs = 1000 * kMillisecond;
// The overhead follows the last steps: each counts an eighth.
constexpr int64_t kOverheadWeight = 8;

constexpr int64_t kFastReaderNs = 50 * kMillisecond;
constexpr int64_t kDecodeSteps = 3;
constexpr int kTypicalContext = 512;

}  // namespace

int64_t StepTargets::cost_of(const StepLoad& load) const {
  return static_cast<int64_t>(cost_model_.predict_ns({.num_tokens = load.num_tokens,
                                                      .token_contexts = load.token_contexts,
                                                      .num_logits = load.num_logits}));
}

StepLimits StepTargets::limits() const {
  if (target_itl_ns_ == 0) return {};
  return {.cost = this,
          .max_with_decode = std::max<int64_t>(0, target_itl_ns_ - overhead_ns_),
          .max_without =
              std::clamp(kPromptStepTargets * target_itl_ns_, kMinPromptStepNs, kMaxPromptStepNs)};
}

void StepTargets::observe(int64_t step_ns, int64_t forward_ns) {
  const int64_t overhead = std::max<int64_t>(0, step_ns - forward_ns);
  overhead_ns_ += (overhead - overhead_ns_) / kOverheadWeight;
}

int64_t default_target_itl_ns(const CostModel& cost_model) {
  const StepShape decode = shape_of(kTypicalContext, 1, true);
  const auto decode_ns = static_cast<int64_t>(cost_model.predict_ns(decode));
  // Whole milliseconds: it is shown, and nobody wants to read the rest.
  const int64_t target = std::max(kFastReaderNs, kDecodeSteps * decode_ns);
  return (target + kMillisecond - 1) / kMillisecond * kMillisecond;
}

}  // namespace twostroke

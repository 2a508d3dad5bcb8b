#include "phases/what_if.h"

#include <algorithm>

#include "base/check.h"

namespace twostroke {
namespace {

// One request may be off by more than the machine: a scale beyond this is not believed.
constexpr double kMaxScale = 3;
// Below this the model has not earned a record; the bars say so.
constexpr int kFewSteps = 16;
constexpr double kUnknownError = 0.5;

// The others' decode tokens in a step, at the context that this request has then.
void add_others(StepShape& step, const RequestSize& size, int context) {
  for (int i = 1; i < size.batch; ++i) step += shape_of(context, 1, true);
}

double prefill_ns(const CostModel& model, const RequestSize& size, const StepLimits& limits) {
  const int with_decode =
      std::min(limits.max_step_tokens - (size.batch - 1), limits.max_prefill_tokens_with_decode);
  const int chunk = std::max(1, size.batch > 1 ? with_decode : limits.max_step_tokens);
  double ns = 0;
  for (int at = size.cached_tokens; at < size.prompt_tokens;) {
    const int num = std::min(chunk, size.prompt_tokens - at);
    StepShape step = shape_of(at, num, at + num == size.prompt_tokens);
    add_others(step, size, size.prompt_tokens);
    ns += model.predict_ns(step);
    at += num;
  }
  return ns;
}

// The steps from the first token to the last one.
double decode_ns(const CostModel& model, const RequestSize& size) {
  const int num_steps = size.output_tokens - 1;
  if (num_steps <= 0) return 0;
  // The cost is linear in the context, so the middle one stands for all.
  const int context = size.prompt_tokens + num_steps / 2;
  StepShape step = shape_of(context, 1, true);
  add_others(step, size, context);
  return model.predict_ns(step) * num_steps;
}

double scale_of(int64_t measured_ns, double predicted_ns) {
  if (measured_ns <= 0 || predicted_ns <= 0) return 1;
  return std::clamp(double(measured_ns) / predicted_ns, 1 / kMaxScale, kMaxScale);
}

Estimate with_bars(double model_ns, double fixed_ns, const CostModelError& error) {
  const double off = error.num_steps < kFewSteps ? kUnknownError : error.p95;
  return {.ns = model_ns + fixed_ns,
          .low_ns = std::max(0.0, model_ns * (1 - off)) + fixed_ns,
          .high_ns = model_ns * (1 + off) + fixed_ns};
}

}  // namespace

RequestAnchor anchor_of(const CostModel& model, const RequestSize& measured,
                        const StepLimits& limits, const Ledger& ledger,
                        const RequestIntervals& intervals) {
  RequestAnchor anchor;
  RequestSize alone = measured;
  alone.batch = 1;
  anchor.prefill_scale = scale_of(ledger.of(Cause::kPrefillOwn), prefill_ns(model, alone, limits));
  anchor.decode_scale = scale_of(ledger.of(Cause::kDecodeOwn), decode_ns(model, alone));
  const int64_t waited = ledger.of(Cause::kWaitModel) + ledger.of(Cause::kWaitKv) +
                         ledger.of(Cause::kWaitBatch) + ledger.of(Cause::kWaitTurn);
  const int64_t prefill = ledger.of(Cause::kPrefillOwn) + ledger.of(Cause::kPrefillOthers);
  anchor.ttft_overhead_ns = std::max<int64_t>(0, intervals.ttft_ns - waited - prefill);
  const int64_t decode = ledger.of(Cause::kDecodeOwn) + ledger.of(Cause::kDecodeBatch) +
                         ledger.of(Cause::kDecodePrefill) + ledger.of(Cause::kPreempted);
  const int num_gaps = measured.output_tokens - 1;
  if (num_gaps > 0) {
    anchor.token_overhead_ns = std::max<int64_t>(0, intervals.decode_ns - decode) / num_gaps;
  }
  return anchor;
}

Prediction predict_request(const CostModel& model, const RequestSize& size,
                           const StepLimits& limits, const RequestAnchor& anchor) {
  CHECK_GE(size.cached_tokens, 0);
  CHECK_LT(size.cached_tokens, size.prompt_tokens);
  CHECK_GE(size.output_tokens, 1);
  CHECK_GE(size.batch, 1);
  const CostModelError error = model.recent_error();
  Prediction prediction;
  prediction.ttft = with_bars(prefill_ns(model, size, limits) * anchor.prefill_scale,
                              double(anchor.ttft_overhead_ns), error);
  const int num_gaps = size.output_tokens - 1;
  if (num_gaps > 0) {
    prediction.tpot = with_bars(decode_ns(model, size) * anchor.decode_scale / num_gaps,
                                double(anchor.token_overhead_ns), error);
  }
  prediction.total_ns = prediction.ttft.ns + prediction.tpot.ns * num_gaps;
  return prediction;
}

}  // namespace twostroke

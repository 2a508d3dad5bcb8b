// CostModel: predicts how long a step takes from its shape, learning from the steps that ran, and
// says how good its recent predictions were. An estimate, never a measurement. Plain arithmetic: no
// clock, no thread. The engine thread observes; others may use a copy.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace twostroke {

// The physically meant terms of a step's forward time.
struct StepShape {
  int64_t num_tokens = 0;      // matrix products: each token passes all weights
  int64_t token_contexts = 0;  // attention: for each token, the tokens it looks at; summed
  int64_t num_logits = 0;      // head rows
  int64_t num_decodes = 0;     // of the tokens, those that continue an answer
};
// Tokens [first, first + num) of one sequence; token p looks at p + 1 tokens.
StepShape shape_of(int first_token, int num_tokens, bool needs_logits);
StepShape& operator+=(StepShape& sum, const StepShape& shape);

// How far off the predictions were, |predicted - measured| / measured, over the recent steps.
struct CostModelError {
  int num_steps = 0;
  double median = 0;
  double p95 = 0;
};

// What kind of step it was: its errors are reported apart.
enum class StepKind : uint8_t { kDecode, kPrefill, kMixed };
StepKind kind_of(const StepShape& shape);

class CostModel {
 public:
  CostModel();

  // Learns from one measured step; the error is taken before learning. Times <= 0 and empty shapes
  // are ignored.
  void observe(const StepShape& shape, int64_t forward_ns);
  // The whole step: fixed cost (streaming the weights, waking the workers) and its tokens.
  double predict_ns(const StepShape& shape) const;
  // What these tokens add to a step that runs anyway.
  double marginal_ns(const StepShape& shape) const;

  CostModelError recent_error() const;
  CostModelError recent_error(StepKind kind) const;
  int64_t num_observed() const { return num_observed_; }
  // Nanoseconds: fixed, per token, per token * context, per head row. Never negative.
  static constexpr int kNumTerms = 4;
  static constexpr std::array<std::string_view, kNumTerms> kTermNames = {"fixed", "token",
                                                                         "attention", "head"};
  static constexpr std::array<std::string_view, kNumTerms> kTermUnits = {"step", "token",
                                                                         "token * context", "row"};
  const std::array<double, kNumTerms>& coefficients_ns() const { return coefficients_; }

 private:
  using Vector = std::array<double, kNumTerms>;
  void fit();
  template <typename Counts>
  CostModelError error_of(Counts counts) const;

  Vector coefficients_{};
  std::array<Vector, kNumTerms> gram_{};  // discounted sum of x xT / measured^2
  Vector target_{};                       // discounted sum of x / measured
  int64_t num_observed_ = 0;
  static constexpr int kErrorWindow = 256;
  std::array<float, kErrorWindow> errors_{};  // ring
  std::array<StepKind, kErrorWindow> kinds_{};
};

}  // namespace twostroke

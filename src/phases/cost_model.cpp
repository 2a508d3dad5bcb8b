#include "phases/cost_model.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace twostroke {
namespace {

// Old steps fade: after 256 steps one counts 1/e. Long enough to hold both kinds of steps, short
// enough to follow a machine that gets slower.
constexpr double kDiscount = 1.0 - 1.0 / 256.0;
// Weight of the first guess, in steps: keeps the fit defined before every term was seen apart.
constexpr double kGuessWeight = 1e-6;
constexpr int kSweeps = 24;
constexpr double kNeverSeen = 1e-200;  // discounted away: keep what was learnt

// Units that bring typical values of all terms near one, so that one guess weight fits all.
constexpr std::array<double, CostModel::kNumTerms> kUnits = {1.0, 16.0, 16384.0, 4.0};

std::array<double, CostModel::kNumTerms> terms_of(const StepShape& shape) {
  return {1.0 / kUnits[0], static_cast<double>(shape.num_tokens) / kUnits[1],
          static_cast<double>(shape.token_contexts) / kUnits[2],
          static_cast<double>(shape.num_logits) / kUnits[3]};
}

}  // namespace

StepShape shape_of(int first_token, int num_tokens, bool needs_logits) {
  const int64_t n = num_tokens;
  return {.num_tokens = n,
          .token_contexts = n * first_token + n * (n + 1) / 2,
          .num_logits = needs_logits ? 1 : 0,
          .num_decodes = num_tokens == 1 && needs_logits ? 1 : 0};
}

StepShape& operator+=(StepShape& sum, const StepShape& shape) {
  sum.num_tokens += shape.num_tokens;
  sum.token_contexts += shape.token_contexts;
  sum.num_logits += shape.num_logits;
  sum.num_decodes += shape.num_decodes;
  return sum;
}

StepKind kind_of(const StepShape& shape) {
  if (shape.num_decodes == 0) return StepKind::kPrefill;
  return shape.num_decodes == shape.num_tokens ? StepKind::kDecode : StepKind::kMixed;
}

// Before anything was measured only the proportions matter: a token costs as much as what is fixed
// in 16 of them, roughly what a CPU shows between one token and many.
CostModel::CostModel() : coefficients_{1e6, 6e4, 1.0, 6e4} {}

double CostModel::predict_ns(const StepShape& shape) const {
  return coefficients_[0] + marginal_ns(shape);
}

double CostModel::marginal_ns(const StepShape& shape) const {
  return coefficients_[1] * static_cast<double>(shape.num_tokens) +
         coefficients_[2] * static_cast<double>(shape.token_contexts) +
         coefficients_[3] * static_cast<double>(shape.num_logits);
}

void CostModel::observe(const StepShape& shape, int64_t forward_ns) {
  if (forward_ns <= 0 || shape.num_tokens <= 0) return;
  const auto measured = static_cast<double>(forward_ns);
  // The first prediction is only a proportion: it is scaled, not judged.
  if (num_observed_ == 0) {
    const double scale = measured / predict_ns(shape);
    for (double& coefficient : coefficients_) coefficient *= scale;
    for (size_t i = 0; i < kNumTerms; ++i) {
      gram_[i][i] = kGuessWeight / (measured * measured);
      target_[i] = gram_[i][i] * coefficients_[i] * kUnits[i];
    }
  }
  const auto slot = static_cast<size_t>(num_observed_ % kErrorWindow);
  errors_[slot] = static_cast<float>(std::abs(predict_ns(shape) - measured) / measured);
  kinds_[slot] = kind_of(shape);
  ++num_observed_;

  // Least squares of the relative error: both strokes count alike, however long their steps are.
  const Vector terms = terms_of(shape);
  for (size_t i = 0; i < kNumTerms; ++i) {
    for (size_t j = 0; j < kNumTerms; ++j) {
      gram_[i][j] = gram_[i][j] * kDiscount + terms[i] * terms[j] / (measured * measured);
    }
    target_[i] = target_[i] * kDiscount + terms[i] / measured;
  }
  fit();
}

// Coordinate descent on the normal equations with every coefficient kept >= 0; it starts where the
// last step ended, so few sweeps are enough.
void CostModel::fit() {
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (size_t i = 0; i < kNumTerms; ++i) {
      double residual = target_[i];
      for (size_t j = 0; j < kNumTerms; ++j) {
        if (j != i) residual -= gram_[i][j] * coefficients_[j] * kUnits[j];
      }
      if (gram_[i][i] > kNeverSeen)
        coefficients_[i] = std::max(0.0, residual / gram_[i][i]) / kUnits[i];
    }
  }
}

CostModelError CostModel::recent_error() const {
  return error_of([](StepKind) { return true; });
}

CostModelError CostModel::recent_error(StepKind kind) const {
  return error_of([kind](StepKind other) { return other == kind; });
}

template <typename Counts>
CostModelError CostModel::error_of(Counts counts) const {
  std::vector<float> sorted;
  const auto size = static_cast<size_t>(std::min<int64_t>(num_observed_, kErrorWindow));
  for (size_t i = 0; i < size; ++i) {
    if (counts(kinds_[i])) sorted.push_back(errors_[i]);
  }
  if (sorted.empty()) return {};
  std::ranges::sort(sorted);
  return {.num_steps = static_cast<int>(sorted.size()),
          .median = static_cast<double>(sorted[(sorted.size() - 1) / 2]),
          .p95 = static_cast<double>(sorted[(sorted.size() - 1) * 95 / 100])};
}

}  // namespace twostroke

#include "engine/calibration.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace twostroke {
namespace {

struct CalibrationStep {
  int num_tokens;
  bool needs_logits;
};
// Small and large in turn, so that a short budget still sees both kinds.
constexpr std::array kSteps = {
    CalibrationStep{1, true},   CalibrationStep{1, true},   CalibrationStep{16, true},
    CalibrationStep{64, false}, CalibrationStep{1, true},   CalibrationStep{128, false},
    CalibrationStep{32, false}, CalibrationStep{256, true}, CalibrationStep{1, true}};

}  // namespace

void calibrate(Model& model, const Clock& clock, int max_step_tokens, int64_t budget_ns,
               CostModel& cost_model) {
  const int64_t room = int64_t{model.num_blocks()} * model.block_size();
  const int most =
      static_cast<int>(std::min<int64_t>({max_step_tokens, model.max_context_length(), room, 256}));
  const std::vector<TokenId> tokens(static_cast<size_t>(most), 0);
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  std::vector<BlockId> table(
      static_cast<size_t>((most + model.block_size() - 1) / model.block_size()));
  std::iota(table.begin(), table.end(), 0);
  std::vector<float> logits(static_cast<size_t>(model.vocab_size()));
  const int64_t start_ns = clock.now_ns();
  for (const CalibrationStep& step : kSteps) {
    const int count = std::min(step.num_tokens, most);
    const StepShape shape = shape_of(0, count, step.needs_logits);
    const int64_t used_ns = clock.now_ns() - start_ns;
    const bool affordable = static_cast<double>(used_ns) + cost_model.predict_ns(shape) <=
                            static_cast<double>(budget_ns);
    if (cost_model.num_observed() > 1 && !affordable) continue;
    const SequenceView sequence{0, count, count, table};
    const int32_t last_row = count - 1;
    const auto size = static_cast<size_t>(count);
    const int64_t before_ns = clock.now_ns();
    model.forward({std::span(tokens).first(size),
                   std::span(positions).first(size),
                   {&sequence, 1},
                   std::span(&last_row, step.needs_logits ? 1 : 0)},
                  std::span(logits).first(step.needs_logits ? logits.size() : 0));
    cost_model.observe(shape, clock.now_ns() - before_ns);
  }
}

}  // namespace twostroke

#include "engine/model_runner.h"

#include "base/check.h"
#include "engine/active_request.h"

namespace twostroke {

ModelRunner::ModelRunner(Model& model, int max_step_tokens, int max_running)
    : model_(model),
      vocab_size_(static_cast<size_t>(model.vocab_size())),
      max_logits_(static_cast<size_t>(max_running)),
      logits_(std::make_unique_for_overwrite<float[]>(max_logits_ * vocab_size_)) {
  token_ids_.reserve(static_cast<size_t>(max_step_tokens));
  positions_.reserve(static_cast<size_t>(max_step_tokens));
  sequences_.reserve(max_logits_);
  logits_rows_.reserve(max_logits_);
}

bool ModelRunner::forward(const StepPlan& plan, AbortCheck& abort) {
  token_ids_.clear();
  positions_.clear();
  sequences_.clear();
  logits_rows_.clear();
  hidden_rows_.clear();
  for (const ScheduledRequest& item : plan.scheduled) {
    const Request& request = *item.request;
    const int end = item.first_token + item.num_tokens;
    sequences_.push_back({.first_row = static_cast<int>(token_ids_.size()),
                          .num_tokens = item.num_tokens,
                          .context_length = end,
                          .block_table = request.kv.block_table});
    for (int position = item.first_token; position < end; ++position) {
      token_ids_.push_back(request.tokens[static_cast<size_t>(position)]);
      positions_.push_back(position);
      const std::optional<Pooler>& pooler = active(*item.request).pooler;
      if (pooler && pooler->wants(position))
        hidden_rows_.push_back(static_cast<int32_t>(token_ids_.size()) - 1);
    }
    if (item.needs_logits) logits_rows_.push_back(static_cast<int32_t>(token_ids_.size()) - 1);
  }
  CHECK_LE(logits_rows_.size(), max_logits_);
  const size_t hidden_floats = hidden_rows_.size() * static_cast<size_t>(model_.hidden_size());
  if (hidden_.size() < hidden_floats) hidden_.resize(hidden_floats);
  const Batch batch{.token_ids = token_ids_,
                    .positions = positions_,
                    .sequences = sequences_,
                    .logits_rows = logits_rows_,
                    .abort = &abort,
                    .hidden_rows = hidden_rows_,
                    .hidden = std::span(hidden_).first(hidden_floats)};
  return model_.forward(batch, {logits_.get(), logits_rows_.size() * vocab_size_});
}

void ModelRunner::pool(const StepPlan& plan) const {
  const auto hidden = static_cast<size_t>(model_.hidden_size());
  size_t row = 0;
  for (const ScheduledRequest& item : plan.scheduled) {
    std::optional<Pooler>& pooler = active(*item.request).pooler;
    if (!pooler) continue;
    for (int position = item.first_token; position < item.first_token + item.num_tokens;
         ++position) {
      if (!pooler->wants(position)) continue;
      pooler->add(position, std::span(hidden_).subspan(row * hidden, hidden));
      ++row;
    }
  }
  CHECK_EQ(row, hidden_rows_.size());
}

std::span<float> ModelRunner::logits(int index) {
  CHECK_LT(static_cast<size_t>(index), logits_rows_.size());
  return {logits_.get() + static_cast<size_t>(index) * vocab_size_, vocab_size_};
}

}  // namespace twostroke

// ModelRunner: flattens a StepPlan into the Batch a Model reads and keeps the logits it writes.
// Buffers are sized once. Engine thread only.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/model.h"
#include "scheduler/step_plan.h"

namespace twostroke {

class ModelRunner {
 public:
  ModelRunner(Model& model, int max_step_tokens, int max_running);

  // False: `abort` ended it half-way, and nothing of it counts.
  bool forward(const StepPlan& plan, AbortCheck& abort);
  // Gives each pooler of the plan the hidden states it wants. After a forward that ended.
  void pool(const StepPlan& plan) const;
  // [vocab_size] logits of the `index`-th item of the plan that needs them; the sampler may change
  // them in place.
  std::span<float> logits(int index);

 private:
  Model& model_;
  size_t vocab_size_;
  size_t max_logits_;
  std::vector<TokenId> token_ids_;       // [max_step_tokens]
  std::vector<int32_t> positions_;       // [max_step_tokens]
  std::vector<SequenceView> sequences_;  // [max_running]
  std::vector<int32_t> logits_rows_;     // [max_running]
  std::vector<int32_t> hidden_rows_;     // [max_step_tokens]
  std::vector<float> hidden_;            // [hidden_rows, hidden]; grows with the first embeddings
  std::unique_ptr<float[]> logits_;      // [max_running, vocab_size]; pages come as they are used
};

}  // namespace twostroke

// FakeModel: a Model without arithmetic that catches mistakes in KV bookkeeping. Each KV slot
// remembers the token and position written to it and the hash of all that came before; each
// sequence re-reads its whole context through the block table and CHECKs that the slots continue
// each other. The next token is a hash of that context, so a prefix that is consistent but somebody
// else's changes all tokens that follow: compare them with fake_generate().
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/model.h"

namespace twostroke {

struct FakeModelConfig {
  int vocab_size = 64;
  int max_context_length = 1 << 20;
  int block_size = 4;
  int num_blocks = 64;
  // What a step costs on `clock`, when there is one: a made-up machine.
  int64_t fixed_ns = 1'000'000;
  int64_t token_ns = 50'000;
  TokenId poison_token = kNoToken;  // a context that ends with it has logits that are not a number
};

// The token that follows `context`: what any engine must answer, greedily.
TokenId fake_next_token(std::span<const TokenId> context, int vocab_size);
// The first `count` tokens that follow `prompt`.
std::vector<TokenId> fake_generate(std::vector<TokenId> prompt, int count, int vocab_size);

// The hidden states of a context's last token: [kFakeHiddenSize], whole numbers.
inline constexpr int kFakeHiddenSize = 3;
std::vector<float> fake_hidden(std::span<const TokenId> context);

class FakeModel final : public Model {
 public:
  explicit FakeModel(const FakeModelConfig& config, ManualClock* clock = nullptr);

  int vocab_size() const override { return config_.vocab_size; }
  int hidden_size() const override { return kFakeHiddenSize; }
  int max_context_length() const override { return config_.max_context_length; }
  int block_size() const override { return config_.block_size; }
  int num_blocks() const override { return config_.num_blocks; }
  bool forward(const Batch& batch, std::span<float> logits) override;
  const ForwardTimes& last_times() const override { return times_; }

  // Called in the middle of each forward, before the batch's abort check.
  void set_during_forward(std::function<void()> call) { during_forward_ = std::move(call); }

  int64_t num_forwards() const { return num_forwards_; }
  int64_t num_tokens_computed() const { return num_tokens_computed_; }

 private:
  struct Slot {
    TokenId token = kNoToken;
    int32_t position = -1;
    uint64_t history = 0;  // hash of the tokens up to and with this one
  };

  Slot& slot(const SequenceView& sequence, int position);
  void write(const Batch& batch, const SequenceView& sequence);
  uint64_t read_context(const SequenceView& sequence, int length);
  uint64_t history_of_row(const Batch& batch, int row);
  void fill_logits(const Batch& batch, int row, std::span<float> logits);

  FakeModelConfig config_;
  ManualClock* clock_;
  std::vector<Slot> slots_;  // [num_blocks, block_size]
  std::function<void()> during_forward_;
  ForwardTimes times_;
  int64_t num_forwards_ = 0;
  int64_t num_tokens_computed_ = 0;
};

}  // namespace twostroke

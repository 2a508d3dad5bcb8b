#include "testing/fake_model.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace twostroke {
namespace {

constexpr uint64_t kEmptyHistory = 0x243f6a8885a308d3U;

// One step of FNV-1a with a final shift, over whole tokens.
uint64_t extend(uint64_t history, TokenId token) {
  history = (history ^ static_cast<uint32_t>(token)) * 0x100000001b3U;
  return history ^ (history >> 29U);
}

TokenId pick(uint64_t history, int vocab_size) {
  return static_cast<TokenId>((history >> 7U) % static_cast<uint64_t>(vocab_size));
}

std::vector<float> hidden_of(uint64_t history) {
  std::vector<float> hidden;
  for (int i = 0; i < kFakeHiddenSize; ++i)
    hidden.push_back(static_cast<float>((history >> (8 * i)) & 255U));
  return hidden;
}

}  // namespace

TokenId fake_next_token(std::span<const TokenId> context, int vocab_size) {
  uint64_t history = kEmptyHistory;
  for (const TokenId token : context) history = extend(history, token);
  return pick(history, vocab_size);
}

std::vector<float> fake_hidden(std::span<const TokenId> context) {
  uint64_t history = kEmptyHistory;
  for (const TokenId token : context) history = extend(history, token);
  return hidden_of(history);
}

std::vector<TokenId> fake_generate(std::vector<TokenId> prompt, int count, int vocab_size) {
  std::vector<TokenId> generated;
  for (int i = 0; i < count; ++i) {
    generated.push_back(fake_next_token(prompt, vocab_size));
    prompt.push_back(generated.back());
  }
  return generated;
}

FakeModel::FakeModel(const FakeModelConfig& config, ManualClock* clock)
    : config_(config), clock_(clock) {
  slots_.resize(static_cast<size_t>(config.num_blocks) * static_cast<size_t>(config.block_size));
}

bool FakeModel::forward(const Batch& batch, std::span<float> logits) {
  CHECK(!batch.token_ids.empty());
  CHECK_EQ(batch.token_ids.size(), batch.positions.size());
  CHECK_EQ(logits.size(), batch.logits_rows.size() * static_cast<size_t>(config_.vocab_size));
  int next_row = 0;
  // All writes come first, as a layer writes the KV of all rows before it attends: a block that two
  // sequences wrongly share shows as soon as both are in a step.
  for (const SequenceView& sequence : batch.sequences) {
    CHECK_EQ(sequence.first_row, next_row);
    next_row += sequence.num_tokens;
    write(batch, sequence);
  }
  CHECK_EQ(static_cast<size_t>(next_row), batch.token_ids.size());
  times_.total_ns = config_.fixed_ns + config_.token_ns * next_row;
  if (during_forward_) during_forward_();
  if (batch.abort != nullptr && batch.abort->should_abort()) {
    if (clock_ != nullptr) clock_->advance_ns(times_.total_ns / 2);
    return false;
  }
  for (const SequenceView& sequence : batch.sequences) {
    read_context(sequence, sequence.context_length);
  }
  const auto vocab = static_cast<size_t>(config_.vocab_size);
  for (size_t i = 0; i < batch.logits_rows.size(); ++i) {
    fill_logits(batch, batch.logits_rows[i], logits.subspan(i * vocab, vocab));
  }
  CHECK_EQ(batch.hidden.size(), batch.hidden_rows.size() * size_t{kFakeHiddenSize});
  for (size_t i = 0; i < batch.hidden_rows.size(); ++i) {
    std::ranges::copy(hidden_of(history_of_row(batch, batch.hidden_rows[i])),
                      batch.hidden.begin() + static_cast<std::ptrdiff_t>(i) * kFakeHiddenSize);
  }
  ++num_forwards_;
  num_tokens_computed_ += next_row;
  if (clock_ != nullptr) clock_->advance_ns(times_.total_ns);
  return true;
}

FakeModel::Slot& FakeModel::slot(const SequenceView& sequence, int position) {
  const auto index = static_cast<size_t>(position / config_.block_size);
  CHECK_LT(index, sequence.block_table.size());
  const BlockId block = sequence.block_table[index];
  CHECK_GE(block, 0);
  CHECK_LT(block, config_.num_blocks);
  return slots_[static_cast<size_t>(block) * static_cast<size_t>(config_.block_size) +
                static_cast<size_t>(position % config_.block_size)];
}

void FakeModel::write(const Batch& batch, const SequenceView& sequence) {
  CHECK_GE(sequence.num_tokens, 1);
  const int first = sequence.context_length - sequence.num_tokens;
  CHECK_GE(first, 0);
  uint64_t history = first == 0 ? kEmptyHistory : slot(sequence, first - 1).history;
  for (int i = 0; i < sequence.num_tokens; ++i) {
    const auto row = static_cast<size_t>(sequence.first_row + i);
    CHECK_EQ(batch.positions[row], first + i);
    const TokenId token = batch.token_ids[row];
    CHECK_GE(token, 0);
    CHECK_LT(token, config_.vocab_size);
    history = extend(history, token);
    slot(sequence, first + i) = {token, first + i, history};
  }
}

// Every slot must hold its own position and continue the one before it: only then was it written by
// a sequence with exactly this beginning.
uint64_t FakeModel::read_context(const SequenceView& sequence, int length) {
  uint64_t history = kEmptyHistory;
  for (int position = 0; position < length; ++position) {
    const Slot& read = slot(sequence, position);
    CHECK_EQ(read.position, position);
    history = extend(history, read.token);
    CHECK_EQ(read.history, history);
  }
  return history;
}

uint64_t FakeModel::history_of_row(const Batch& batch, int row) {
  const auto owner = std::ranges::find_if(batch.sequences, [row](const SequenceView& sequence) {
    return row >= sequence.first_row && row < sequence.first_row + sequence.num_tokens;
  });
  CHECK(owner != batch.sequences.end());
  const int position = owner->context_length - owner->num_tokens + row - owner->first_row;
  return read_context(*owner, position + 1);
}

void FakeModel::fill_logits(const Batch& batch, int row, std::span<float> logits) {
  const uint64_t history = history_of_row(batch, row);
  std::ranges::fill(logits, 0.0F);
  logits[static_cast<size_t>(pick(history, config_.vocab_size))] = 1.0F;
  if (batch.token_ids[static_cast<size_t>(row)] == config_.poison_token) {
    logits[0] = std::numeric_limits<float>::quiet_NaN();
  }
}

}  // namespace twostroke

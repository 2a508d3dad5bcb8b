// Model: the one virtual seam between the engine and the arithmetic. The engine thread calls it;
// what it computes for one row never depends on the other rows of the batch (law 1).
#pragma once

#include <cstdint>
#include <span>

#include "base/ids.h"

namespace twostroke {

// One sequence's share of a step: `num_tokens` consecutive rows of the batch at consecutive
// positions.
struct SequenceView {
  int first_row = 0;       // index into Batch::token_ids
  int num_tokens = 0;      // >= 1
  int context_length = 0;  // tokens whose KV is valid after this step = first position + num_tokens
  std::span<const BlockId>
      block_table;  // covers [0, context_length) in blocks of Model::block_size()
};

// Asked between the layers of a step, on the thread that called forward(): a step whose requests
// all went away is not worth finishing.
class AbortCheck {
 public:
  virtual ~AbortCheck() = default;
  virtual bool should_abort() = 0;
};

// The flattened input of one step; built by the engine's ModelRunner, read by the Model.
struct Batch {
  std::span<const TokenId> token_ids;  // [num_tokens]
  std::span<const int32_t> positions;  // [num_tokens]
  std::span<const SequenceView>
      sequences;  // [num_sequences], rows in order, covering all of token_ids
  std::span<const int32_t> logits_rows;  // [num_logits] rows whose next-token logits are wanted
  AbortCheck* abort = nullptr;           // nullptr: the step runs to its end
  // Rows whose last hidden states are wanted, after the final norm, and where they go:
  // [num_hidden, hidden_size] f32 row-major.
  std::span<const int32_t> hidden_rows = {};
  std::span<float> hidden = {};
};

// Nanoseconds of the last forward by part, for `bench` and the ledger. They sum to at most the
// whole.
struct ForwardTimes {
  int64_t total_ns = 0;
  int64_t head_ns = 0;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual int vocab_size() const = 0;
  virtual int hidden_size() const = 0;
  virtual int max_context_length() const = 0;
  virtual int block_size() const = 0;  // tokens per KV block
  virtual int num_blocks() const = 0;  // KV blocks that exist; block ids are [0, num_blocks)
  // Writes the KV of every row, then the logits of `batch.logits_rows` in their order, and the
  // hidden states of `batch.hidden_rows` in theirs.
  // `logits`: [num_logits, vocab_size] f32 row-major. REQUIRES: every id, position and block in
  // range. False: `batch.abort` ended it half-way; no logits, and the rows' KV must be computed
  // again.
  virtual bool forward(const Batch& batch, std::span<float> logits) = 0;
  virtual const ForwardTimes& last_times() const = 0;
};

}  // namespace twostroke

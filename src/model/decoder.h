// Decoder: the transformer decoder of every supported architecture, over packed weights and a paged
// KV cache. One step takes any mix of sequences; what it computes for a row depends on that row's
// own history alone (law 1): both ways of sharing work (few rows, many rows) call the same row-wise
// operations.
//
// Owner: the engine thread, which makes all calls; the thread pool's workers run inside forward()
// only.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "gguf/gguf_file.h"
#include "kernels/kernels.h"
#include "model/decoder_spec.h"
#include "model/decoder_weights.h"
#include "model/kv_storage.h"
#include "model/model.h"
#include "model/rope_table.h"
#include "model/workspace.h"

namespace twostroke {

struct DecoderOptions {
  int max_step_tokens = 512;  // rows of one forward
  int max_context = 0;        // 0: the model's own
  int num_blocks = 0;         // KV blocks
  bool exact = false;         // f32 activations and KV, weights dequantised: for checking, slow
};

class Decoder final : public Model {
 public:
  // `kernels` and `pool` must outlive the decoder; `file` only this call.
  static Result<std::unique_ptr<Decoder>> load(const GgufFile& file, const DecoderOptions& options,
                                               const Kernels& kernels, ThreadPool& pool);

  int vocab_size() const override { return spec_.vocab_size; }
  int hidden_size() const override { return spec_.hidden_size; }
  int max_context_length() const override { return max_context_; }
  int block_size() const override { return kKvBlockTokens; }
  int num_blocks() const override { return options_.num_blocks; }
  bool forward(const Batch& batch, std::span<float> logits) override;
  const ForwardTimes& last_times() const override { return times_; }

  const DecoderSpec& spec() const { return spec_; }
  const DecoderWeights& weights() const { return weights_; }
  size_t kv_bytes() const { return kv_.bytes(); }
  // Bytes of KV that a token reads when `context` keys precede it; local layers see no more than
  // their window.
  double kv_bytes_read(double context) const;

 private:
  // Consecutive rows of one sequence.
  struct RowRun {
    int sequence;
    int first_row;
    int num_rows;
    int first_position;
  };
  // What one thread takes of a few-rows step's attention: whole, or some splits of it.
  struct AttentionUnit {
    RowRun run;
    int kv_head;
    int split_begin;
    int split_end;
    float* partials;  // nullptr: whole
  };

  Decoder(DecoderSpec spec, DecoderOptions options, const Kernels& kernels, ThreadPool& pool);

  void warm_up();
  void check_batch(const Batch& batch) const;
  void prepare(const Batch& batch);
  void prepare_attention_units();
  void add_split_units(const RowRun& run, int num_splits, size_t& used_partials);
  void run_head(std::span<float> logits);
  void write_hidden();

  // decoder_rows.cpp: one row, or rows of one sequence.
  void embed_row(int row, uint8_t* scratch);
  void normalize_row(const float* x, const std::vector<float>& norm, const Linear& next,
                     const Activations& out, int out_row) const;
  void finish_qkv_row(int layer, int row);
  void store_kv(int layer, const RowRun& run);
  AttentionInput attention_input(int layer, const RowRun& run, int kv_head) const;
  void prepare_attention_output(const float* attended, const Linear& next, const Activations& out,
                                int out_row) const;
  void activate(const float* gate, const float* up, int num_columns, const Linear& next,
                const Activations& out, int out_row, int out_column) const;
  void add_residual_row(float* x, float* y, const std::vector<float>& post_norm) const;

  // decoder_few_rows.cpp: matrices are cut over the threads.
  template <typename F>
  void for_rows(F&& each_row);
  template <typename F>
  void for_panels(int num_panels, int multiple, F&& each_range);
  bool should_abort() const;
  bool run_few_rows();
  void few_rows_layer(int layer);
  void few_rows_attention(int layer);
  void few_rows_project(const Linear& linear, const Activations& input,
                        const std::vector<float>& post_norm);

  // decoder_many_rows.cpp: rows are cut over the threads.
  template <typename F>
  void for_runs(int row_begin, int row_end, F&& each_run) const;
  bool run_many_rows();
  void block_before_attention(int layer, int row_begin, int row_end, WorkerScratch& scratch);
  void block_after_attention(int layer, int row_begin, int row_end, WorkerScratch& scratch);
  void block_feed_forward(int layer, int row_begin, int row_end, WorkerScratch& scratch);
  bool is_asked_for(int row_begin, int row_end) const;

  float* x_row(int row) const {
    return workspace_.x + static_cast<size_t>(row) * static_cast<size_t>(spec_.hidden_size);
  }
  float* qkv_row(int row) const { return workspace_.qkv + static_cast<size_t>(row) * qkv_stride_; }
  const LayerWeights& layer_weights(int layer) const {
    return weights_.layers()[static_cast<size_t>(layer)];
  }

  DecoderSpec spec_;
  DecoderOptions options_;
  const Kernels& kernels_;
  ThreadPool& pool_;
  int max_context_ = 0;
  DecoderWeights weights_;
  KvStorage kv_;
  Workspace workspace_;
  RopeTable rope_;
  RopeTable rope_local_;
  size_t qkv_stride_ = 0;
  SteadyClock clock_;
  ForwardTimes times_;

  // The current step, set by prepare().
  const Batch* batch_ = nullptr;
  int num_rows_ = 0;
  std::vector<RowRun> runs_;          // one per sequence, rows in order
  std::vector<int> row_run_;          // [num_rows] index into runs_
  std::vector<AttentionUnit> units_;  // few-rows path
  std::vector<AttentionUnit>
      split_heads_;  // those to merge: one per (run, kv head), split_end = splits
};

}  // namespace twostroke

// A step with many rows (prefill): the rows are the work, so each thread takes blocks of them
// through whole layers and its activations stay in its cache. One fork-join per layer: a block's
// attention needs the keys that all blocks stored in the half before.
#include <algorithm>

#include "model/decoder.h"

namespace twostroke {

// Calls each_run over the pieces of sequences inside [row_begin, row_end).
template <typename F>
void Decoder::for_runs(int row_begin, int row_end, F&& each_run) const {
  for (int row = row_begin; row < row_end;) {
    const RowRun& whole = runs_[static_cast<size_t>(row_run_[static_cast<size_t>(row)])];
    const int end = std::min(row_end, whole.first_row + whole.num_rows);
    each_run(
        RowRun{whole.sequence, row, end - row, whole.first_position + (row - whole.first_row)});
    row = end;
  }
}

// From the residual stream to stored keys and values.
void Decoder::block_before_attention(int layer, int row_begin, int row_end,
                                     WorkerScratch& scratch) {
  const LayerWeights& weights = layer_weights(layer);
  const Activations input = scratch.input.with_k(spec_.hidden_size);
  const int rows = row_end - row_begin;
  for (int i = 0; i < rows; ++i) {
    normalize_row(x_row(row_begin + i), weights.attention_norm, weights.qkv, input, i);
  }
  apply_linear(kernels_, weights.qkv, 0, weights.qkv.num_panels, input, 0, rows, qkv_row(row_begin),
               qkv_stride_, scratch.linear);
  for (int row = row_begin; row < row_end; ++row) finish_qkv_row(layer, row);
  for_runs(row_begin, row_end, [&](const RowRun& run) { store_kv(layer, run); });
}

void Decoder::block_feed_forward(int layer, int row_begin, int row_end, WorkerScratch& scratch) {
  const LayerWeights& weights = layer_weights(layer);
  const Activations input = scratch.input.with_k(spec_.hidden_size);
  const int rows = row_end - row_begin;
  for (int i = 0; i < rows; ++i) {
    normalize_row(x_row(row_begin + i), weights.ffn_norm, weights.gate_up, input, i);
  }
  const int up_panel = weights.gate_up.parts[1].first_panel;
  constexpr int kSlicePanels = kFfnSliceColumns / kPanelRows;
  constexpr size_t kStride = 2 * kFfnSliceColumns;
  for (int begin = 0; begin < up_panel; begin += kSlicePanels) {
    const int end = std::min(begin + kSlicePanels, up_panel);
    const int column = begin * kPanelRows;
    // apply_linear writes at absolute columns; the slice's tile holds gate, then up.
    float* gate = scratch.wide;
    apply_linear(kernels_, weights.gate_up, begin, end, input, 0, rows, gate - column, kStride,
                 scratch.linear);
    float* up = scratch.wide + kFfnSliceColumns;
    apply_linear(kernels_, weights.gate_up, up_panel + begin, up_panel + end, input, 0, rows,
                 up - (up_panel * kPanelRows + column), kStride, scratch.linear);
    const int columns = std::min(end * kPanelRows, spec_.ffn_size) - column;
    for (int i = 0; i < rows; ++i) {
      const size_t offset = static_cast<size_t>(i) * kStride;
      activate(gate + offset, up + offset, columns, weights.down, scratch.ffn, i, column);
    }
  }
  const size_t stride = static_cast<size_t>(weights.down.num_columns());
  apply_linear(kernels_, weights.down, 0, weights.down.num_panels, scratch.ffn, 0, rows,
               scratch.wide, stride, scratch.linear);
  for (int i = 0; i < rows; ++i) {
    add_residual_row(x_row(row_begin + i), scratch.wide + static_cast<size_t>(i) * stride,
                     weights.post_ffn_norm);
  }
}

// Attention, its output projection and the feed-forward.
void Decoder::block_after_attention(int layer, int row_begin, int row_end, WorkerScratch& scratch) {
  const LayerWeights& weights = layer_weights(layer);
  const int rows = row_end - row_begin;
  for_runs(row_begin, row_end, [&](const RowRun& run) {
    for (int kv_head = 0; kv_head < spec_.num_kv_heads; ++kv_head) {
      kernels_.attention.attend(attention_input(layer, run, kv_head), qkv_row(run.first_row),
                                qkv_stride_, scratch.attention);
    }
  });
  const Activations attended = scratch.input.with_k(spec_.q_size());
  for (int i = 0; i < rows; ++i) {
    prepare_attention_output(qkv_row(row_begin + i), weights.output, attended, i);
  }
  const size_t stride = static_cast<size_t>(weights.output.num_columns());
  apply_linear(kernels_, weights.output, 0, weights.output.num_panels, attended, 0, rows,
               scratch.wide, stride, scratch.linear);
  for (int i = 0; i < rows; ++i) {
    add_residual_row(x_row(row_begin + i), scratch.wide + static_cast<size_t>(i) * stride,
                     weights.post_attention_norm);
  }
  block_feed_forward(layer, row_begin, row_end, scratch);
}

bool Decoder::is_asked_for(int row_begin, int row_end) const {
  const auto is_inside = [&](int32_t row) { return row >= row_begin && row < row_end; };
  return std::ranges::any_of(batch_->logits_rows, is_inside) ||
         std::ranges::any_of(batch_->hidden_rows, is_inside);
}

bool Decoder::run_many_rows() {
  // Whole tiles of rows, and at least one block for each thread where the rows allow it.
  const int share = (num_rows_ + pool_.num_threads() - 1) / pool_.num_threads();
  const int block_rows = std::min(kRowBlock, (share + kRowTile - 1) / kRowTile * kRowTile);
  const int num_blocks = (num_rows_ + block_rows - 1) / block_rows;
  const int last_layer = spec_.num_layers - 1;
  const auto scratch_of = [&](int worker) -> WorkerScratch& {
    return workspace_.workers[static_cast<size_t>(worker)];
  };
  pool_.parallel_for(num_blocks, [&](int block, int worker) {
    const int begin = block * block_rows;
    const int end = std::min(begin + block_rows, num_rows_);
    for (int row = begin; row < end; ++row) embed_row(row, scratch_of(worker).embedding);
    block_before_attention(0, begin, end, scratch_of(worker));
  });
  for (int layer = 0; layer < spec_.num_layers; ++layer) {
    if (should_abort()) return false;
    pool_.parallel_for(num_blocks, [&](int block, int worker) {
      // The last blocks see the most keys: they go first, so that threads end together.
      const int begin = (num_blocks - 1 - block) * block_rows;
      const int end = std::min(begin + block_rows, num_rows_);
      // After the last layer's keys are stored, only rows that are asked for matter.
      if (layer == last_layer && !is_asked_for(begin, end)) return;
      block_after_attention(layer, begin, end, scratch_of(worker));
      if (layer < last_layer) block_before_attention(layer + 1, begin, end, scratch_of(worker));
    });
  }
  return true;
}

}  // namespace twostroke

// A step with few rows (decode): the weights are the work, so every matrix is cut over the threads
// by output rows and read once. Five fork-joins per layer: q|k|v, attention, output, gate|up, down.
#include <algorithm>

#include "model/decoder.h"

namespace twostroke {
namespace {

// Chunks per thread: enough to even out a thread that lost its core for a while, few enough to cost
// nothing.
constexpr int kChunksPerThread = 4;
// Below so many rows the row-wise work is shorter than sharing it would be.
constexpr int kSerialRows = 4;

}  // namespace

template <typename F>
void Decoder::for_rows(F&& each_row) {
  if (num_rows_ < kSerialRows) {
    for (int row = 0; row < num_rows_; ++row) each_row(row, 0);
  } else {
    pool_.parallel_for(num_rows_, [&](int row, int worker) { each_row(row, worker); });
  }
}

// Calls each_range(begin, end, worker) over [0, num_panels), cut at multiples of `multiple`.
template <typename F>
void Decoder::for_panels(int num_panels, int multiple, F&& each_range) {
  const int units = (num_panels + multiple - 1) / multiple;
  const int chunks = std::min(units, pool_.num_threads() * kChunksPerThread);
  pool_.parallel_for(chunks, [&](int chunk, int worker) {
    const int begin = static_cast<int>(int64_t{units} * chunk / chunks) * multiple;
    const int end = static_cast<int>(int64_t{units} * (chunk + 1) / chunks) * multiple;
    each_range(begin, std::min(end, num_panels), worker);
  });
}

void Decoder::few_rows_attention(int layer) {
  pool_.parallel_for(static_cast<int>(units_.size()), [&](int index, int worker) {
    const AttentionUnit& unit = units_[static_cast<size_t>(index)];
    const AttentionInput input = attention_input(layer, unit.run, unit.kv_head);
    void* scratch = workspace_.workers[static_cast<size_t>(worker)].attention;
    if (unit.partials == nullptr) {
      kernels_.attention.attend(input, qkv_row(unit.run.first_row), qkv_stride_, scratch);
    } else {
      kernels_.attention.attend_partial(input, unit.split_begin, unit.split_end, unit.partials,
                                        scratch);
    }
  });
  for (const AttentionUnit& unit : split_heads_) {
    kernels_.attention.merge_partials(attention_input(layer, unit.run, unit.kv_head),
                                      unit.split_end, unit.partials, qkv_row(unit.run.first_row),
                                      qkv_stride_);
  }
}

// x += linear(input), through the post norm where there is one.
void Decoder::few_rows_project(const Linear& linear, const Activations& input,
                               const std::vector<float>& post_norm) {
  const size_t stride = static_cast<size_t>(linear.num_columns());
  float* y = workspace_.wide;
  for_panels(linear.num_panels, 1, [&](int begin, int end, int worker) {
    apply_linear(kernels_, linear, begin, end, input, 0, num_rows_, y, stride,
                 workspace_.workers[static_cast<size_t>(worker)].linear);
    if (!post_norm.empty()) return;
    const int column = begin * kPanelRows;
    const int columns = std::min(end * kPanelRows, spec_.hidden_size) - column;
    for (int row = 0; row < num_rows_; ++row) {
      kernels_.vector.add(x_row(row) + column, y + static_cast<size_t>(row) * stride + column,
                          columns);
    }
  });
  if (post_norm.empty()) return;
  for_rows([&](int row, int) {
    add_residual_row(x_row(row), y + static_cast<size_t>(row) * stride, post_norm);
  });
}

void Decoder::few_rows_layer(int layer) {
  const LayerWeights& weights = layer_weights(layer);
  const Activations hidden_input = workspace_.input.with_k(spec_.hidden_size);
  for_rows([&](int row, int) {
    normalize_row(x_row(row), weights.attention_norm, weights.qkv, hidden_input, row);
  });
  for_panels(weights.qkv.num_panels, 1, [&](int begin, int end, int worker) {
    apply_linear(kernels_, weights.qkv, begin, end, hidden_input, 0, num_rows_, workspace_.qkv,
                 qkv_stride_, workspace_.workers[static_cast<size_t>(worker)].linear);
  });
  for_rows([&](int row, int) {
    finish_qkv_row(layer, row);
    const RowRun& run = runs_[static_cast<size_t>(row_run_[static_cast<size_t>(row)])];
    store_kv(layer, {run.sequence, row, 1, batch_->positions[static_cast<size_t>(row)]});
  });
  few_rows_attention(layer);

  const Activations attended = workspace_.input.with_k(spec_.q_size());
  for_rows(
      [&](int row, int) { prepare_attention_output(qkv_row(row), weights.output, attended, row); });
  few_rows_project(weights.output, attended, weights.post_attention_norm);

  for_rows([&](int row, int) {
    normalize_row(x_row(row), weights.ffn_norm, weights.gate_up, hidden_input, row);
  });
  const size_t stride = static_cast<size_t>(weights.gate_up.num_columns()) + kRowPadding;
  const int up_panel = weights.gate_up.parts[1].first_panel;
  for_panels(up_panel, 2, [&](int begin, int end, int worker) {
    uint8_t* scratch = workspace_.workers[static_cast<size_t>(worker)].linear;
    for (const int offset : {0, up_panel}) {
      apply_linear(kernels_, weights.gate_up, offset + begin, offset + end, hidden_input, 0,
                   num_rows_, workspace_.wide, stride, scratch);
    }
    const int column = begin * kPanelRows;
    const int columns = std::min(end * kPanelRows, spec_.ffn_size) - column;
    for (int row = 0; row < num_rows_; ++row) {
      const float* gate = workspace_.wide + static_cast<size_t>(row) * stride + column;
      activate(gate, gate + up_panel * kPanelRows, columns, weights.down, workspace_.ffn, row,
               column);
    }
  });
  few_rows_project(weights.down, workspace_.ffn, weights.post_ffn_norm);
}

bool Decoder::run_few_rows() {
  for (int row = 0; row < num_rows_; ++row) embed_row(row, workspace_.workers[0].embedding);
  for (int layer = 0; layer < spec_.num_layers; ++layer) {
    if (should_abort()) return false;
    few_rows_layer(layer);
  }
  return true;
}

}  // namespace twostroke

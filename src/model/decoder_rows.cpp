// The decoder's row-wise operations: what happens to one row (or the rows of one sequence) between
// two matrix multiplications. Both ways of sharing work call these, so a row's bits cannot depend
// on which was used.
#include "model/decoder.h"

namespace twostroke {

void Decoder::embed_row(int row, uint8_t* scratch) {
  weights_.embed(batch_->token_ids[static_cast<size_t>(row)], x_row(row), scratch);
  if (spec_.embedding_scale != 1.0F) {
    kernels_.vector.scale(x_row(row), spec_.embedding_scale, spec_.hidden_size);
  }
}

// x: [hidden]; writes what `next` reads.
void Decoder::normalize_row(const float* x, const std::vector<float>& norm, const Linear& next,
                            const Activations& out, int out_row) const {
  const int hidden = spec_.hidden_size;
  if (next.needs_quantized) {
    kernels_.vector.rms_norm_quantize(x, norm.data(), hidden, spec_.rms_eps, out.quantized,
                                      out_row);
  }
  if (next.needs_f32) {
    kernels_.vector.rms_norm(x, norm.data(), hidden, spec_.rms_eps,
                             out.f32 + static_cast<size_t>(out_row) * out.f32_stride);
  }
}

// Biases, head norms and RoPE on the row's q and k, in place.
void Decoder::finish_qkv_row(int layer, int row) {
  const LayerWeights& weights = layer_weights(layer);
  float* qkv = qkv_row(row);
  if (!weights.qkv_bias.empty()) {
    kernels_.vector.add(qkv, weights.qkv_bias.data(), weights.qkv.num_columns());
  }
  const bool local = spec_.layer_is_local[static_cast<size_t>(layer)];
  const RopeTable& rope = local ? rope_local_ : rope_;
  const int position = batch_->positions[static_cast<size_t>(row)];
  const int rope_dim = spec_.rope_of(layer).rope_dim;
  const auto rotate =
      spec_.rope_kind == RopeKind::kNorm ? kernels_.vector.rope_norm : kernels_.vector.rope_neox;
  const auto finish_heads = [&](float* heads, int num_heads, const std::vector<float>& norm) {
    for (int head = 0; head < num_heads; ++head) {
      float* x = heads + static_cast<size_t>(head) * static_cast<size_t>(spec_.head_dim);
      if (!norm.empty()) {
        kernels_.vector.rms_norm(x, norm.data(), spec_.head_dim, spec_.rms_eps, x);
      }
      rotate(x, rope.cos(position), rope.sin(position), rope_dim);
    }
  };
  finish_heads(qkv, spec_.num_heads, weights.q_norm);
  finish_heads(qkv + weights.qkv.first_column(1), spec_.num_kv_heads, weights.k_norm);
}

void Decoder::store_kv(int layer, const RowRun& run) {
  const Linear& qkv = layer_weights(layer).qkv;
  const SequenceView& sequence = batch_->sequences[static_cast<size_t>(run.sequence)];
  kernels_.attention.store_kv(kv_.layer(layer), sequence.block_table.data(), run.first_position,
                              run.num_rows, qkv_row(run.first_row) + qkv.first_column(1),
                              qkv_row(run.first_row) + qkv.first_column(2), qkv_stride_);
}

AttentionInput Decoder::attention_input(int layer, const RowRun& run, int kv_head) const {
  const SequenceView& sequence = batch_->sequences[static_cast<size_t>(run.sequence)];
  return {.kv = kv_.layer(layer),
          .block_table = sequence.block_table.data(),
          .q = qkv_row(run.first_row),
          .q_stride = qkv_stride_,
          .rows = run.num_rows,
          .first_position = run.first_position,
          .kv_head = kv_head,
          .group = spec_.group(),
          .window = spec_.window(layer),
          .scale = spec_.attention_scale};
}

// attended: [q_size] of one row; writes what the output projection reads.
void Decoder::prepare_attention_output(const float* attended, const Linear& next,
                                       const Activations& out, int out_row) const {
  if (next.needs_quantized) {
    kernels_.vector.quantize_row(attended, spec_.q_size(), out.quantized, out_row, 0);
  }
  if (next.needs_f32) {
    float* row = out.f32 + static_cast<size_t>(out_row) * out.f32_stride;
    for (int i = 0; i < spec_.q_size(); ++i) row[i] = attended[i];
  }
}

// Columns [out_column, out_column + num_columns) of one row of the feed-forward's inner
// activations.
void Decoder::activate(const float* gate, const float* up, int num_columns, const Linear& next,
                       const Activations& out, int out_row, int out_column) const {
  const VectorKernels& vector = kernels_.vector;
  const bool silu = spec_.activation == Activation::kSilu;
  if (next.needs_quantized) {
    const auto apply = silu ? vector.silu_mul_quantize : vector.gelu_tanh_mul_quantize;
    apply(gate, up, num_columns, out.quantized, out_row, out_column);
  }
  if (next.needs_f32) {
    const auto apply = silu ? vector.silu_mul : vector.gelu_tanh_mul;
    apply(gate, up, num_columns,
          out.f32 + static_cast<size_t>(out_row) * out.f32_stride + out_column);
  }
}

// x += y, y normalised first where the architecture says so. x, y: [hidden]; y is overwritten.
void Decoder::add_residual_row(float* x, float* y, const std::vector<float>& post_norm) const {
  if (!post_norm.empty()) {
    kernels_.vector.rms_norm(y, post_norm.data(), spec_.hidden_size, spec_.rms_eps, y);
  }
  kernels_.vector.add(x, y, spec_.hidden_size);
}

}  // namespace twostroke

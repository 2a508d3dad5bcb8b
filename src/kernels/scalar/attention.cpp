// The specification of attention: one (row, head) at a time, in the order of operations that every
// ISA keeps. Scores are base-2 (the query is multiplied by scale * log2 e once), a tile of 64 keys
// shares one running max, a split of 256 keys is a state of its own, and states are folded in split
// order.
#include "kernels/attention.h"

#include <float.h>

#include "kernels/scalar/arithmetic.h"

namespace twostroke::scalar {
namespace {

struct State {
  float max = -INFINITY;
  float sum = 0.0F;
  float out[kMaxHeadDim] = {};
};

// One (row, head): its scaled query and the keys [first_key, end_key) it sees.
struct Query {
  float q[kMaxHeadDim];
  int first_key;
  int end_key;
};

size_t as_size(int value) {
  return static_cast<size_t>(value);
}

float load_element(const KvLayer& kv, const uint8_t* head, size_t index) {
  if (kv.f32) {
    float value;
    memcpy(&value, head + index * sizeof(value), sizeof(value));
    return value;
  }
  uint16_t half;
  memcpy(&half, head + index * sizeof(half), sizeof(half));
  return f16_to_f32(half);
}

void store_element(const KvLayer& kv, uint8_t* head, size_t index, float value) {
  const float largest = kv.f32 ? FLT_MAX : 65504.0F;
  value = value > -largest ? value : -largest;  // NaN too
  value = value < largest ? value : largest;
  if (kv.f32) {
    memcpy(head + index * sizeof(value), &value, sizeof(value));
    return;
  }
  const uint16_t half = f32_to_f16(value);
  memcpy(head + index * sizeof(half), &half, sizeof(half));
}

uint8_t* block_head(const KvLayer& kv, const int32_t* block_table, int token, int kv_head) {
  const int block = block_table[token / kKvBlockTokens];
  return kv.base + as_size(block) * kv.block_bytes + as_size(kv_head) * kv.head_bytes;
}

size_t key_index(int token, int d) {
  return as_size(d * kKvBlockTokens + token % kKvBlockTokens);
}

size_t value_index(const KvLayer& kv, int token, int d) {
  return as_size((kKvBlockTokens + token % kKvBlockTokens) * kv.head_dim + d);
}

void store_kv(const KvLayer& kv, const int32_t* block_table, int first_position, int rows,
              const float* k, const float* v, size_t stride) {
  for (int r = 0; r < rows; ++r) {
    const int token = first_position + r;
    for (int h = 0; h < kv.num_kv_heads; ++h) {
      uint8_t* head = block_head(kv, block_table, token, h);
      const size_t row = as_size(r) * stride + as_size(h * kv.head_dim);
      for (int d = 0; d < kv.head_dim; ++d) {
        store_element(kv, head, key_index(token, d), k[row + as_size(d)]);
        store_element(kv, head, value_index(kv, token, d), v[row + as_size(d)]);
      }
    }
  }
}

Query load_query(const AttentionInput& in, int row, int head_in_group) {
  Query query;
  const float factor = in.scale * kLog2E;
  const int dim = in.kv.head_dim;
  const int head = in.kv_head * in.group + head_in_group;
  const float* q = in.q + as_size(row) * in.q_stride + as_size(head * dim);
  for (int d = 0; d < dim; ++d) query.q[d] = q[d] * factor;
  const int position = in.first_position + row;
  query.end_key = position + 1;
  query.first_key = in.window > 0 && position >= in.window ? position - in.window + 1 : 0;
  return query;
}

float score(const AttentionInput& in, const Query& query, int token) {
  if (token < query.first_key || token >= query.end_key) return -INFINITY;
  const uint8_t* head = block_head(in.kv, in.block_table, token, in.kv_head);
  float sum = 0.0F;
  for (int d = 0; d < in.kv.head_dim; ++d) {
    sum = fma_f32(query.q[d], load_element(in.kv, head, key_index(token, d)), sum);
  }
  return sum;
}

// Adds the tile of 64 keys at `tile_key` to the state; `lanes` are the 16 lanes of the state's sum.
void add_tile(const AttentionInput& in, const Query& query, int tile_key, State& state,
              float lanes[kLanes]) {
  float p[kKvTileTokens];
  float new_max = state.max;
  for (int j = 0; j < kKvTileTokens; ++j) {
    p[j] = score(in, query, tile_key + j);
    new_max = max_f32(p[j], new_max);
  }
  const float rescale = exp2_or_zero(state.max - new_max);
  state.max = new_max;
  for (int j = 0; j < kKvTileTokens; ++j) p[j] = exp2_or_zero(p[j] - new_max);
  for (int i = 0; i < kLanes; ++i) {
    const float sum = (p[i] + p[i + 16]) + (p[i + 32] + p[i + 48]);
    lanes[i] = fma_f32(lanes[i], rescale, sum);
  }
  for (int d = 0; d < in.kv.head_dim; ++d) {
    float out = state.out[d] * rescale;
    for (int j = 0; j < kKvTileTokens; ++j) {
      const int token = tile_key + j;
      if (token < query.first_key || token >= query.end_key) continue;
      const uint8_t* head = block_head(in.kv, in.block_table, token, in.kv_head);
      out = fma_f32(p[j], load_element(in.kv, head, value_index(in.kv, token, d)), out);
    }
    state.out[d] = out;
  }
}

State attend_split(const AttentionInput& in, const Query& query, int split) {
  State state;
  float lanes[kLanes] = {};
  for (int t = 0; t < kKvSplitTokens / kKvTileTokens; ++t) {
    const int tile_key = split * kKvSplitTokens + t * kKvTileTokens;
    if (tile_key >= query.end_key || tile_key + kKvTileTokens <= query.first_key) continue;
    add_tile(in, query, tile_key, state, lanes);
  }
  state.sum = tree_sum(lanes);
  return state;
}

// Folds one more split into `total`.
void merge(State& total, float max, float sum, const float* out, int head_dim) {
  const float new_max = max_f32(max, total.max);
  const float a = exp2_or_zero(total.max - new_max);
  const float b = exp2_or_zero(max - new_max);
  total.max = new_max;
  total.sum = fma_f32(total.sum, a, sum * b);
  for (int d = 0; d < head_dim; ++d) total.out[d] = fma_f32(total.out[d], a, out[d] * b);
}

// + 0 makes a negative zero positive: skipping a tile that is wholly masked must not show in any
// bit.
void normalize(const State& total, int head_dim, float* out) {
  const float inverse = 1.0F / total.sum;
  for (int d = 0; d < head_dim; ++d) out[d] = total.out[d] * inverse + 0.0F;
}

float* output_row(const AttentionInput& in, int row, int head_in_group, float* out,
                  size_t out_stride) {
  const int head = in.kv_head * in.group + head_in_group;
  return out + as_size(row) * out_stride + as_size(head * in.kv.head_dim);
}

void attend(const AttentionInput& in, float* out, size_t out_stride, void* /*scratch*/) {
  for (int r = 0; r < in.rows; ++r) {
    for (int g = 0; g < in.group; ++g) {
      const Query query = load_query(in, r, g);
      State total;
      for (int split = 0; split < num_kv_splits(query.end_key); ++split) {
        const State state = attend_split(in, query, split);
        merge(total, state.max, state.sum, state.out, in.kv.head_dim);
      }
      normalize(total, in.kv.head_dim, output_row(in, r, g, out, out_stride));
    }
  }
}

float* partial_at(const AttentionInput& in, float* partials, int split, int row, int head) {
  const size_t index =
      as_size(split) * as_size(in.rows * in.group) + as_size(row * in.group + head);
  return partials + index * as_size(partial_floats(in.kv.head_dim));
}

void attend_partial(const AttentionInput& in, int split_begin, int split_end, float* partials,
                    void* /*scratch*/) {
  for (int r = 0; r < in.rows; ++r) {
    for (int g = 0; g < in.group; ++g) {
      const Query query = load_query(in, r, g);
      for (int split = split_begin; split < split_end; ++split) {
        const State state = attend_split(in, query, split);
        float* partial = partial_at(in, partials, split, r, g);
        partial[0] = state.max;
        partial[1] = state.sum;
        memcpy(partial + 16, state.out, as_size(in.kv.head_dim) * sizeof(float));
      }
    }
  }
}

void merge_partials(const AttentionInput& in, int num_splits, const float* partials, float* out,
                    size_t out_stride) {
  for (int r = 0; r < in.rows; ++r) {
    for (int g = 0; g < in.group; ++g) {
      State total;
      for (int split = 0; split < num_splits; ++split) {
        const float* partial = partial_at(in, const_cast<float*>(partials), split, r, g);
        merge(total, partial[0], partial[1], partial + 16, in.kv.head_dim);
      }
      normalize(total, in.kv.head_dim, output_row(in, r, g, out, out_stride));
    }
  }
}

constexpr AttentionKernels kAttentionKernels = {
    .store_kv = store_kv,
    .attend = attend,
    .attend_partial = attend_partial,
    .merge_partials = merge_partials,
};

}  // namespace

const AttentionKernels& attention_kernels() {
  return kAttentionKernels;
}

}  // namespace twostroke::scalar

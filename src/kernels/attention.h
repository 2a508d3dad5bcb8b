// Attention over the paged KV cache: writing keys and values, causal (optionally sliding-window)
// attention of a run of query rows, and the split form that lets threads share one long context.
// One table per ISA; kernels/scalar/attention.cpp is the specification and the others agree with it
// bit for bit. A row's result depends on its query, its position and the keys it sees, never on the
// other rows or on who computes which split (law 1). Pure functions: any thread, no state, no
// allocation; scratch comes from the caller.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/types.h"

namespace twostroke {

// Keys per step of the online softmax; tiles start at multiples of this position.
inline constexpr int kKvTileTokens = 64;
// The largest head_dim the kernels take; it is a multiple of 16.
inline constexpr int kMaxHeadDim = 512;
// Query rows x heads worked on at once against one tile of keys; only speed and scratch depend on
// it.
inline constexpr int kQueryTile = 96;

// Queries of one sequence for one kv head. Query head h = kv_head * group + g reads q[r * q_stride
// + h * head_dim]. Row r is at position first_position + r and sees key j iff j <= position and
// (window == 0 or position - j < window). The KV of every visible key must have been stored.
struct AttentionInput {
  KvLayer kv;
  const int32_t* block_table;  // block ids covering positions [0, first_position + rows)
  const float* q;              // [rows, q_stride] f32, after norms and rope, not scaled
  size_t q_stride;             // in floats
  int rows;
  int first_position;
  int kv_head;
  int group;   // query heads per kv head
  int window;  // 0: all earlier keys
  float scale;
};

// Splits that a context of `context_length` keys has: the unit in which threads may share one head.
inline constexpr int num_kv_splits(int context_length) {
  return (context_length + kKvSplitTokens - 1) / kKvSplitTokens;
}
// One split's result for one (row, head): [0] running max (of base-2 scores), [1] sum, [16..16 +
// head_dim) the unnormalised output.
inline constexpr int partial_floats(int head_dim) {
  return 16 + head_dim;
}
// Floats of `partials` for `num_splits` splits of rows x group query rows.
inline constexpr size_t partials_floats(int num_splits, int rows, int group, int head_dim) {
  return static_cast<size_t>(num_splits) * static_cast<size_t>(rows) * static_cast<size_t>(group) *
         static_cast<size_t>(partial_floats(head_dim));
}
// Bytes of scratch that attend and attend_partial need, 64-byte aligned, whatever the rows and
// context. One per thread.
inline constexpr size_t attention_scratch_bytes(int head_dim) {
  const size_t dim = static_cast<size_t>(head_dim);
  return sizeof(float) * kQueryTile * (3 * dim + kKvTileTokens + 16 + 8);
}

struct AttentionKernels {
  // Writes `rows` consecutive tokens from `first_position` on into their blocks. k and v: row r, kv
  // head h at k[r * stride + h * head_dim]. Values are clipped to the finite range of the element
  // type (NaN too), so that what one request stores can never poison the next user of a block.
  void (*store_kv)(const KvLayer& kv, const int32_t* block_table, int first_position, int rows,
                   const float* k, const float* v, size_t stride);

  // out[r * out_stride + h * head_dim + i] for the input's rows and its `group` heads. out may be
  // q's own memory when the strides are equal.
  void (*attend)(const AttentionInput& in, float* out, size_t out_stride, void* scratch);

  // The splits [split_begin, split_end) only, for every (row, head) of the input: `partials` is
  // [num_splits, rows * group, partial_floats(head_dim)], indexed by absolute split, so that
  // threads write into one buffer. Splits that a row does not see are written as empty.
  void (*attend_partial)(const AttentionInput& in, int split_begin, int split_end, float* partials,
                         void* scratch);
  // Folds splits [0, num_splits) in order: attend_partial over any division of the splits, then
  // this, equals attend.
  void (*merge_partials)(const AttentionInput& in, int num_splits, const float* partials,
                         float* out, size_t out_stride);
};

namespace scalar {
const AttentionKernels& attention_kernels();
}
namespace avx2 {
const AttentionKernels& attention_kernels();
}
namespace avx512_vnni {
const AttentionKernels& attention_kernels();
}

}  // namespace twostroke

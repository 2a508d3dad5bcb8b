// The plain structs that kernels and their callers share: layouts, shapes, units. Next to no code.
// Included by the ISA folders, so it may use C headers only (no std containers: see CONTRIBUTING,
// "ISA hygiene").
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace twostroke {

// Every packed weight is cut into panels of 16 output rows: lane = row, so that a sum over K needs
// no horizontal add and GEMV and GEMM share one order of operations (law 1).
inline constexpr int kPanelRows = 16;
// Activations are quantised in groups of 32 along K.
inline constexpr int kGroup = 32;
// Tokens per KV block.
inline constexpr int kKvBlockTokens = 16;
// Attention over a long context is cut at multiples of this many keys, counted from position 0, and
// the pieces are merged in order; the cut never depends on batch, chunk or threads (law 1).
inline constexpr int kKvSplitTokens = 256;

// Rows of activations that lie together: a matmul reads one group of 8 rows through one pointer,
// with constant offsets only.
inline constexpr int kRowTile = 8;

// One group (32 of K) of 8 activation rows. q = round_to_nearest_even(x * (127 / absmax)), d =
// absmax / 127; s = d * sum(q) is what block minima multiply: the sum of the *rounded* x, because
// codes and minimum must see the same input for the code's mean to cancel (the sum of the unrounded
// x doubles the error: docs/adr/0015). bias is where the integer dot of a symmetric weight type
// starts: panels store its codes as code + 128, so the dot is 128 * sum(q) too high.
struct alignas(32) QuantGroup {
  int8_t q[kRowTile][kGroup];
  float d[kRowTile];
  float s[kRowTile];
  int32_t bias[kRowTile];       // -128 * sum(q)
  int32_t bias16[2][kRowTile];  // the same for each half of the group: bias = bias16[0] + bias16[1]
};

// Quantised activations of `rows` rows x k, as ceil(rows / 8) tiles of k / 32 groups. Rows that pad
// the last tile are neither written nor read.
struct QuantRows {
  QuantGroup* groups;  // [ceil(rows / 8), k / 32], 32-byte aligned
  int k;               // a multiple of 32
};

// The tile-and-group that holds row `row`, columns [32 * group, 32 * group + 32); the row's place
// in it is row % kRowTile.
static inline QuantGroup& quant_group(const QuantRows& x, int row, int group) {
  return x.groups[static_cast<ptrdiff_t>(row / kRowTile) * (x.k / kGroup) + group];
}
// How many QuantGroups `rows` x k activations take.
static constexpr size_t quant_groups(int rows, int k) {
  return static_cast<size_t>((rows + kRowTile - 1) / kRowTile) * static_cast<size_t>(k / kGroup);
}

// A weight matrix [n, k] in panels. Bytes of one panel are contiguous, panels follow each other.
struct PanelMatrix {
  const uint8_t* data;
  size_t panel_bytes;
  int n;     // output rows as the file has them; lanes past n in the last panel are zero
  int k;     // a multiple of 32
  int type;  // quant::Type of the file, as int (ISA folders see no enum class)
};

// One layer's keys and values. Block b of kv head h starts at base + b * block_bytes + h *
// head_bytes and holds K as [head_dim][16 tokens], then V as [16 tokens][head_dim]; element type as
// `f32` says: else IEEE f16. Slots never written hold zeros (a masked key must stay finite).
struct KvLayer {
  uint8_t* base;
  size_t block_bytes;
  size_t head_bytes;
  int num_kv_heads;
  int head_dim;  // a multiple of 16
  bool f32;
};

}  // namespace twostroke

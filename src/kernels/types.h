// The plain structs that kernels and their callers share: layouts, shapes, units. No code.
// Included by the ISA folders, so it may use C headers only (no std containers: see CONTRIBUTING, "ISA hygiene").
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace twostroke {

// Every packed weight is cut into panels of 16 output rows: lane = row, so that a sum over K needs no
// horizontal add and GEMV and GEMM share one order of operations (law 1).
inline constexpr int kPanelRows = 16;
// Activations are quantised in groups of 32 along K.
inline constexpr int kGroup = 32;
// Tokens per KV block.
inline constexpr int kKvBlockTokens = 16;
// Attention over a long context is cut at multiples of this many keys, counted from position 0, and the pieces are
// merged in order; the cut never depends on batch, chunk or threads (law 1).
inline constexpr int kKvSplitTokens = 256;

// Quantised activations of up to `rows` rows. q = round_to_nearest_even(x * (127 / absmax)), d = absmax / 127 per
// group; s is the f32 sum of the *unrounded* x of the group (what block minima multiply), in the order of
// kernels/scalar. Row strides are exactly k, k/32, k/32, k/16.
struct QuantRows {
  int8_t* q;       // [rows, k], 64-byte aligned rows are not required
  float* d;        // [rows, k / 32]
  float* s;        // [rows, k / 32]
  int32_t* qsum;   // [rows, k / 32] sum of q over the group
  int16_t* qsum16; // [rows, k / 16] sum of q over each half group
  int k;
};

// A weight matrix [n, k] in panels. Bytes of one panel are contiguous, panels follow each other.
struct PanelMatrix {
  const uint8_t* data;
  size_t panel_bytes;
  int n;     // output rows as the file has them; lanes past n in the last panel are zero
  int k;     // a multiple of 32
  int type;  // quant::Type of the file, as int (ISA folders see no enum class)
};

// One layer's keys and values. Block b of kv head h starts at base + b * block_bytes + h * head_bytes and
// holds K as [head_dim][16 tokens], then V as [16 tokens][head_dim]; element type as `f32` says: else IEEE f16.
// Slots never written hold zeros (a masked key must stay finite).
struct KvLayer {
  uint8_t* base;
  size_t block_bytes;
  size_t head_bytes;
  int num_kv_heads;
  int head_dim;  // a multiple of 16
  bool f32;
};

}  // namespace twostroke

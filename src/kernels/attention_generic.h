// Attention for any ISA with 16 f32 lanes: AttentionOps<Lanes>::kTable. The order of operations is
// that of kernels/scalar/attention.cpp; what is added here is the tiling: up to kQueryTile (row,
// head) pairs against 64 keys at a time, in register tiles (kernels/attention_tile.h). Included
// only by the ISA folders, as vector_ops_generic.h.
#pragma once

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/attention.h"
#include "kernels/attention_tile.h"
#include "kernels/exp2_polynomial.h"
#include "kernels/types.h"
#include "kernels/vector_ops_generic.h"

namespace twostroke {
namespace {

template <class L>
struct AttentionOps {
  using F = typename L::F;
  using Tile = AttentionTile<L>;
  static constexpr int kTileBlocks = kKvTileTokens / kKvBlockTokens;
  static constexpr int kTilesPerSplit = kKvSplitTokens / kKvTileTokens;

  // Up to kQueryTile pairs i = row * group + head of the input, from pair `first` on, and their
  // state. Lives in the caller's scratch.
  struct Pairs {
    int first, count;
    float* q;          // [count, head_dim] scaled
    float* out;        // [count, head_dim] of the split being computed
    float* total_out;  // [count, head_dim] of the splits before it
    float* p;          // [count, 64] scores, then probabilities, of the tile being computed
    float* lanes;      // [count, 16] the sum's lanes
    float* max;        // [count + padding]
    float* rescale;    // [count + padding]
    float* total_max;  // [count]
    float* total_sum;  // [count]
    int position[kQueryTile];
  };

  static size_t as_size(int value) { return static_cast<size_t>(value); }
  static int min(int a, int b) { return a < b ? a : b; }
  static int max(int a, int b) { return a > b ? a : b; }
  static int clamp(int value, int low, int high) { return min(max(value, low), high); }

  static Pairs load_pairs(const AttentionInput& in, int first, void* scratch) {
    Pairs pairs;
    const int dim = in.kv.head_dim;
    pairs.first = first;
    pairs.count = min(kQueryTile, in.rows * in.group - first);
    float* next = static_cast<float*>(scratch);
    const auto take = [&next](size_t floats) {
      float* const begin = next;
      next += floats;
      return begin;
    };
    pairs.q = take(as_size(kQueryTile * dim));
    pairs.out = take(as_size(kQueryTile * dim));
    pairs.total_out = take(as_size(kQueryTile * dim));
    pairs.p = take(kQueryTile * kKvTileTokens);
    pairs.lanes = take(kQueryTile * 16);
    pairs.max = take(kQueryTile + 16);
    pairs.rescale = take(kQueryTile + 16);
    pairs.total_max = take(kQueryTile);
    pairs.total_sum = take(kQueryTile);
    const F factor = L::set1(in.scale * kLog2E);
    for (int i = 0; i < pairs.count; ++i) {
      const int row = (first + i) / in.group;
      const int head = in.kv_head * in.group + (first + i) % in.group;
      pairs.position[i] = in.first_position + row;
      const float* q = in.q + as_size(row) * in.q_stride + as_size(head * dim);
      for (int d = 0; d < dim; d += 16)
        L::store(pairs.q + i * dim + d, L::mul(L::load(q + d), factor));
    }
    return pairs;
  }

  static int first_key(const AttentionInput& in, int position) {
    return in.window > 0 ? max(0, position - in.window + 1) : 0;
  }

  static void clear_split(const Pairs& pairs, int dim) {
    for (int i = 0; i < pairs.count; ++i) pairs.max[i] = -INFINITY;
    memset(pairs.lanes, 0, sizeof(float) * 16 * as_size(pairs.count));
    memset(pairs.out, 0, sizeof(float) * as_size(pairs.count * dim));
  }

  // The key blocks of one tile that anyone sees: [begin, end) of its four. f16 stays f16: the
  // register tiles convert as they load, which costs nothing measurable beside the multiplications.
  struct KeyTile {
    int first_key;
    int begin, end;
    const uint8_t* k[kTileBlocks];
    const uint8_t* v[kTileBlocks];
    const uint8_t* k_ahead[kTileBlocks];  // of the next tile, or of this one again
    const uint8_t* v_ahead[kTileBlocks];
  };

  static const uint8_t* block_head(const AttentionInput& in, int block_index) {
    return in.kv.base + as_size(in.block_table[block_index]) * in.kv.block_bytes +
           as_size(in.kv_head) * in.kv.head_bytes;
  }

  static KeyTile load_tile(const AttentionInput& in, const Pairs& pairs, int tile_key) {
    KeyTile tile = {};
    const int last_position = pairs.position[pairs.count - 1];
    const size_t k_bytes =
        as_size(kKvBlockTokens * in.kv.head_dim) * (in.kv.f32 ? sizeof(float) : sizeof(uint16_t));
    tile.first_key = tile_key;
    tile.begin = max(0, first_key(in, pairs.position[0]) - tile_key) / kKvBlockTokens;
    tile.end = min(kTileBlocks, (last_position - tile_key) / kKvBlockTokens + 1);
    for (int b = tile.begin; b < tile.end; ++b) {
      const int block = tile_key / kKvBlockTokens + b;
      const int next = block + kTileBlocks;
      tile.k[b] = block_head(in, block);
      tile.v[b] = tile.k[b] + k_bytes;
      const bool has_next = next <= last_position / kKvBlockTokens;
      tile.k_ahead[b] = has_next ? block_head(in, next) : tile.k[b];
      tile.v_ahead[b] = tile.k_ahead[b] + k_bytes;
    }
    return tile;
  }

  // Blocks of the tile that some pair of [i, i + rows) sees.
  struct BlockRange {
    int begin, end;
  };
  static BlockRange visible_blocks(const AttentionInput& in, const Pairs& pairs,
                                   const KeyTile& tile, int i, int rows) {
    const int last = pairs.position[i + rows - 1] - tile.first_key;
    const int first = first_key(in, pairs.position[i]) - tile.first_key;
    return {max(0, first) / kKvBlockTokens,
            last < 0 ? 0 : min(kTileBlocks, last / kKvBlockTokens + 1)};
  }

  // Scores of keys that pair i does not see become -inf.
  static void mask_scores(const AttentionInput& in, const Pairs& pairs, const KeyTile& tile, int i,
                          BlockRange blocks) {
    const int begin = first_key(in, pairs.position[i]) - tile.first_key;
    const int end = pairs.position[i] + 1 - tile.first_key;
    for (int b = blocks.begin; b < blocks.end; ++b) {
      float* s = pairs.p + i * kKvTileTokens + b * kKvBlockTokens;
      const int offset = b * kKvBlockTokens;
      const auto seen = L::lane_range(begin - offset, end - offset);
      L::store(s, L::select(seen, L::load(s), L::set1(-INFINITY)));
    }
  }

  template <int kBlocks>
  static float row_max(const float* s) {
    F largest = L::load(s);
    for (int b = 1; b < kBlocks; ++b) largest = L::max(L::load(s + 16 * b), largest);
    return L::largest(largest);
  }
  // (p0 + p1) + (p2 + p3) of the tile's four blocks when only kBlocks of them, from `first` on, are
  // there: the others are zeros, and leaving out a zero changes no bit.
  template <int kBlocks>
  static F sum_blocks(const F p[kBlocks], int first) {
    if constexpr (kBlocks == 4) return L::add(L::add(p[0], p[1]), L::add(p[2], p[3]));
    if constexpr (kBlocks == 3) {
      return first == 0 ? L::add(L::add(p[0], p[1]), p[2]) : L::add(p[0], L::add(p[1], p[2]));
    }
    if constexpr (kBlocks == 2) return L::add(p[0], p[1]);
    return p[0];
  }

  // Scores become probabilities; `lanes` the updated sum.
  template <int kBlocks>
  static void row_probabilities(float* s, float row_max, float rescale, float* lanes, int first) {
    const F m = L::set1(row_max);
    F p[kBlocks];
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
      p[b] = Exponential<L>::exp2_or_zero(L::sub(L::load(s + 16 * b), m));
      L::store(s + 16 * b, p[b]);
    }
    L::store(lanes, L::fma(L::load(lanes), L::set1(rescale), sum_blocks<kBlocks>(p, first)));
  }

  // The online softmax of pairs [i, i + rows), rows <= 16, over the given blocks of the tile.
  template <int kBlocks>
  static void softmax_rows(const Pairs& pairs, int i, int rows, int first_block) {
    float tile_max[16] = {};
    float* s = pairs.p + i * kKvTileTokens + first_block * kKvBlockTokens;
    for (int r = 0; r < rows; ++r) tile_max[r] = row_max<kBlocks>(s + r * kKvTileTokens);
    const F old_max = L::load_partial(pairs.max + i, rows);
    const F new_max = L::max(L::load_partial(tile_max, rows), old_max);
    L::store_partial(pairs.max + i, new_max, rows);
    L::store_partial(pairs.rescale + i, Exponential<L>::exp2_or_zero(L::sub(old_max, new_max)),
                     rows);
    for (int r = 0; r < rows; ++r) {
      row_probabilities<kBlocks>(s + r * kKvTileTokens, pairs.max[i + r], pairs.rescale[i + r],
                                 pairs.lanes + (i + r) * 16, first_block);
    }
  }

  static void score_rows(const AttentionInput& in, const Pairs& pairs, const KeyTile& tile, int i,
                         int rows, BlockRange blocks) {
    const int dim = in.kv.head_dim;
    Tile::scores(!in.kv.f32, rows, pairs.q + i * dim, dim, tile.k + blocks.begin,
                 tile.k_ahead + blocks.begin, blocks.end - blocks.begin,
                 pairs.p + i * kKvTileTokens + blocks.begin * kKvBlockTokens);
    const bool all_seen = pairs.position[i] >= tile.first_key + blocks.end * kKvBlockTokens - 1 &&
                          first_key(in, pairs.position[i + rows - 1]) <=
                              tile.first_key + blocks.begin * kKvBlockTokens;
    for (int r = 0; !all_seen && r < rows; ++r) mask_scores(in, pairs, tile, i + r, blocks);
    switch (blocks.end - blocks.begin) {
      case 4:
        return softmax_rows<4>(pairs, i, rows, blocks.begin);
      case 3:
        return softmax_rows<3>(pairs, i, rows, blocks.begin);
      case 2:
        return softmax_rows<2>(pairs, i, rows, blocks.begin);
      default:
        return softmax_rows<1>(pairs, i, rows, blocks.begin);
    }
  }

  // All scores of the tile first, then all values, so that K and V each pass through the cache
  // once.
  static void add_tile(const AttentionInput& in, const Pairs& pairs, const KeyTile& tile) {
    const int dim = in.kv.head_dim;
    for (int i = 0; i < pairs.count; i += L::kMaxTileRows) {
      const int rows = min(L::kMaxTileRows, pairs.count - i);
      const BlockRange blocks = visible_blocks(in, pairs, tile, i, rows);
      if (blocks.begin < blocks.end) score_rows(in, pairs, tile, i, rows, blocks);
    }
    for (int i = 0; i < pairs.count; i += L::kMaxTileRows) {
      const int rows = min(L::kMaxTileRows, pairs.count - i);
      const BlockRange blocks = visible_blocks(in, pairs, tile, i, rows);
      if (blocks.begin >= blocks.end) continue;
      Tile::values(!in.kv.f32, rows, pairs.p + i * kKvTileTokens + blocks.begin * kKvBlockTokens,
                   tile.v + blocks.begin, tile.v_ahead + blocks.begin, blocks.end - blocks.begin,
                   dim, pairs.rescale + i, pairs.out + i * dim);
    }
  }

  // Fills the split's state (max, lanes, out) of the pairs.
  static void add_split(const AttentionInput& in, const Pairs& pairs, int split) {
    clear_split(pairs, in.kv.head_dim);
    const int end_key = pairs.position[pairs.count - 1] + 1;
    const int begin_key = first_key(in, pairs.position[0]);
    for (int t = 0; t < kTilesPerSplit; ++t) {
      const int tile_key = split * kKvSplitTokens + t * kKvTileTokens;
      if (tile_key >= end_key || tile_key + kKvTileTokens <= begin_key) continue;
      add_tile(in, pairs, load_tile(in, pairs, tile_key));
    }
  }

  // Folds one more split into the running total of one pair.
  static void merge(float max, float sum, const float* out, int dim, float* total_max,
                    float* total_sum, float* total_out) {
    const F old_max = L::set1(*total_max), split_max = L::set1(max);
    const F new_max = L::max(split_max, old_max);
    const F a = Exponential<L>::exp2_or_zero(L::sub(old_max, new_max));
    const F b = Exponential<L>::exp2_or_zero(L::sub(split_max, new_max));
    float new_sum[16], maximum[16];
    L::store(maximum, new_max);
    L::store(new_sum, L::fma(L::set1(*total_sum), a, L::mul(L::set1(sum), b)));
    *total_max = maximum[0];
    *total_sum = new_sum[0];
    for (int d = 0; d < dim; d += 16) {
      const F added = L::mul(L::load(out + d), b);
      L::store(total_out + d, L::fma(L::load(total_out + d), a, added));
    }
  }

  static void normalize(float sum, const float* total_out, int dim, float* out) {
    const F inverse = L::set1(1.0F / sum);
    for (int d = 0; d < dim; d += 16) {
      L::store(out + d, L::add(L::mul(L::load(total_out + d), inverse), L::zero()));
    }
  }

  static float* output_row(const AttentionInput& in, int pair, float* out, size_t out_stride) {
    const int head = in.kv_head * in.group + pair % in.group;
    return out + as_size(pair / in.group) * out_stride + as_size(head * in.kv.head_dim);
  }

  static void attend(const AttentionInput& in, float* out, size_t out_stride, void* scratch) {
    const int dim = in.kv.head_dim;
    for (int first = 0; first < in.rows * in.group; first += kQueryTile) {
      const Pairs pairs = load_pairs(in, first, scratch);
      for (int i = 0; i < pairs.count; ++i) {
        pairs.total_max[i] = -INFINITY;
        pairs.total_sum[i] = 0.0F;
      }
      memset(pairs.total_out, 0, sizeof(float) * as_size(pairs.count * dim));
      const int end_split = num_kv_splits(pairs.position[pairs.count - 1] + 1);
      for (int split = first_key(in, pairs.position[0]) / kKvSplitTokens; split < end_split;
           ++split) {
        add_split(in, pairs, split);
        for (int i = 0; i < pairs.count; ++i) {
          merge(pairs.max[i], L::sum(L::load(pairs.lanes + i * 16)), pairs.out + i * dim, dim,
                pairs.total_max + i, pairs.total_sum + i, pairs.total_out + i * dim);
        }
      }
      for (int i = 0; i < pairs.count; ++i) {
        normalize(pairs.total_sum[i], pairs.total_out + i * dim, dim,
                  output_row(in, first + i, out, out_stride));
      }
    }
  }

  static size_t partial_offset(const AttentionInput& in, int split, int pair) {
    return (as_size(split) * as_size(in.rows * in.group) + as_size(pair)) *
           as_size(partial_floats(in.kv.head_dim));
  }

  static void attend_partial(const AttentionInput& in, int split_begin, int split_end,
                             float* partials, void* scratch) {
    const int dim = in.kv.head_dim;
    for (int first = 0; first < in.rows * in.group; first += kQueryTile) {
      const Pairs pairs = load_pairs(in, first, scratch);
      for (int split = split_begin; split < split_end; ++split) {
        add_split(in, pairs, split);
        for (int i = 0; i < pairs.count; ++i) {
          float* partial = partials + partial_offset(in, split, first + i);
          partial[0] = pairs.max[i];
          partial[1] = L::sum(L::load(pairs.lanes + i * 16));
          memcpy(partial + 16, pairs.out + i * dim, sizeof(float) * as_size(dim));
        }
      }
    }
  }

  static void merge_partials(const AttentionInput& in, int num_splits, const float* partials,
                             float* out, size_t out_stride) {
    const int dim = in.kv.head_dim;
    for (int pair = 0; pair < in.rows * in.group; ++pair) {
      float total_max = -INFINITY, total_sum = 0.0F;
      float total_out[kMaxHeadDim] = {};
      for (int split = 0; split < num_splits; ++split) {
        const float* partial = partials + partial_offset(in, split, pair);
        merge(partial[0], partial[1], partial + 16, dim, &total_max, &total_sum, total_out);
      }
      normalize(total_sum, total_out, dim, output_row(in, pair, out, out_stride));
    }
  }

  static F clip(F value, float largest) {  // NaN becomes -largest
    return L::min(L::max(value, L::set1(-largest)), L::set1(largest));
  }

  static void store_head(const KvLayer& kv, uint8_t* head, int slot, const float* k,
                         const float* v) {
    const int dim = kv.head_dim;
    if (kv.f32) {
      auto* keys = reinterpret_cast<float*>(head) + slot;
      float* values = reinterpret_cast<float*>(head) + (kKvBlockTokens + slot) * dim;
      for (int d = 0; d < dim; d += 16) {
        float column[16];
        L::store(column, clip(L::load(k + d), FLT_MAX));
        for (int i = 0; i < 16; ++i) keys[(d + i) * kKvBlockTokens] = column[i];
        L::store(values + d, clip(L::load(v + d), FLT_MAX));
      }
      return;
    }
    auto* keys = reinterpret_cast<uint16_t*>(head) + slot;
    uint16_t* values = reinterpret_cast<uint16_t*>(head) + (kKvBlockTokens + slot) * dim;
    for (int d = 0; d < dim; d += 16) {
      uint16_t column[16];
      L::store_half(column, clip(L::load(k + d), 65504.0F));
      for (int i = 0; i < 16; ++i) keys[(d + i) * kKvBlockTokens] = column[i];
      L::store_half(values + d, clip(L::load(v + d), 65504.0F));
    }
  }

  static void store_kv(const KvLayer& kv, const int32_t* block_table, int first_position, int rows,
                       const float* k, const float* v, size_t stride) {
    for (int r = 0; r < rows; ++r) {
      const int token = first_position + r;
      uint8_t* block = kv.base + as_size(block_table[token / kKvBlockTokens]) * kv.block_bytes;
      for (int h = 0; h < kv.num_kv_heads; ++h) {
        const size_t offset = as_size(r) * stride + as_size(h * kv.head_dim);
        store_head(kv, block + as_size(h) * kv.head_bytes, token % kKvBlockTokens, k + offset,
                   v + offset);
      }
    }
  }

  static constexpr AttentionKernels kTable = {
      .store_kv = store_kv,
      .attend = attend,
      .attend_partial = attend_partial,
      .merge_partials = merge_partials,
  };
};

}  // namespace
}  // namespace twostroke

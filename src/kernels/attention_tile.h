// The two small matrix products of attention, as register tiles over the lanes of any ISA: scores =
// q K^T for a few query rows against blocks of 16 keys, and out += p V. Both walk their sum in
// order, one fma per term, so the tile's shape never shows in a result. Included only by the ISA
// folders, as vector_ops_generic.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/attention.h"
#include "kernels/types.h"

namespace twostroke {
namespace {

template <class L>
struct AttentionTile {
  using F = typename L::F;

  template <bool kHalf>
  static F load(const uint8_t* base, int index) {
    if constexpr (kHalf) {
      return L::load_half(reinterpret_cast<const uint16_t*>(base) + index);
    } else {
      return L::load(reinterpret_cast<const float*>(base) + index);
    }
  }

  // The same place in a block that is needed soon: long contexts come from memory, a block
  // anywhere.
  template <bool kHalf>
  static void prefetch(const uint8_t* base, int index) {
    __builtin_prefetch(base + (kHalf ? 2 : 4) * index, 0, 2);
  }

  // s[r][b] = sum over d of q[r][d] * k[b][d]. q: [kRows, dim]; k[b]: [dim, 16]; s: [kRows, 64].
  template <bool kHalf, int kRows, int kBlocks>
  static void score_tile(const float* q, int dim, const uint8_t* const* k,
                         const uint8_t* const* ahead, float* s) {
    F sum[kRows][kBlocks];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int b = 0; b < kBlocks; ++b) sum[r][b] = L::zero();
    }
    for (int d = 0; d < dim; ++d) {
      F keys[kBlocks];
#pragma GCC unroll 8
      for (int b = 0; b < kBlocks; ++b) {
        keys[b] = load<kHalf>(k[b], d * kKvBlockTokens);
        prefetch<kHalf>(ahead[b], d * kKvBlockTokens);
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const F query = L::set1(q[r * dim + d]);
#pragma GCC unroll 8
        for (int b = 0; b < kBlocks; ++b) sum[r][b] = L::fma(query, keys[b], sum[r][b]);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int b = 0; b < kBlocks; ++b) {
        L::store(s + r * kKvTileTokens + b * kKvBlockTokens, sum[r][b]);
      }
    }
  }

  // out[r][c] = out[r][c] * rescale[r] + sum over keys of p[r][key] * v[key][c] for kVectors
  // vectors of 16 dimensions. p: [kRows, 64]; v[b]: [16, dim] from the wanted dimension on; out:
  // [kRows, dim].
  template <bool kHalf, int kRows, int kVectors>
  static void value_tile(const float* p, const uint8_t* const* v, const uint8_t* const* ahead,
                         int num_blocks, int dim, const float* rescale, int first_dim, float* out) {
    F sum[kRows][kVectors];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const F factor = L::set1(rescale[r]);
#pragma GCC unroll 8
      for (int c = 0; c < kVectors; ++c) {
        sum[r][c] = L::mul(L::load(out + r * dim + first_dim + 16 * c), factor);
      }
    }
    for (int b = 0; b < num_blocks; ++b) {
      const uint8_t* block = v[b];
      for (int key = 0; key < kKvBlockTokens; ++key) {
        F values[kVectors];
#pragma GCC unroll 8
        for (int c = 0; c < kVectors; ++c) {
          values[c] = load<kHalf>(block, key * dim + first_dim + 16 * c);
          if (!kHalf || c % 2 == 0) prefetch<kHalf>(ahead[b], key * dim + first_dim + 16 * c);
        }
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          const F weight = L::set1(p[r * kKvTileTokens + b * kKvBlockTokens + key]);
#pragma GCC unroll 8
          for (int c = 0; c < kVectors; ++c) sum[r][c] = L::fma(weight, values[c], sum[r][c]);
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int c = 0; c < kVectors; ++c) {
        L::store(out + r * dim + first_dim + 16 * c, sum[r][c]);
      }
    }
  }

  template <bool kHalf, int kRows>
  static void score_rows(const float* q, int dim, const uint8_t* const* k,
                         const uint8_t* const* ahead, int num_blocks, float* s) {
    constexpr int kVectors = L::tile_vectors(kRows);
    int b = 0;
    for (; b + kVectors <= num_blocks; b += kVectors) {
      score_tile<kHalf, kRows, kVectors>(q, dim, k + b, ahead + b, s + b * kKvBlockTokens);
    }
    const int left = num_blocks - b;
    float* tail = s + b * kKvBlockTokens;
    if constexpr (kVectors > 3) {
      if (left == 3) return score_tile<kHalf, kRows, 3>(q, dim, k + b, ahead + b, tail);
    }
    if constexpr (kVectors > 2) {
      if (left == 2) return score_tile<kHalf, kRows, 2>(q, dim, k + b, ahead + b, tail);
    }
    if constexpr (kVectors > 1) {
      if (left == 1) return score_tile<kHalf, kRows, 1>(q, dim, k + b, ahead + b, tail);
    }
  }

  template <bool kHalf, int kRows>
  static void value_rows(const float* p, const uint8_t* const* v, const uint8_t* const* ahead,
                         int num_blocks, int dim, const float* rescale, float* out) {
    constexpr int kVectors = L::tile_vectors(kRows);
    int d = 0;
    for (; d + 16 * kVectors <= dim; d += 16 * kVectors) {
      value_tile<kHalf, kRows, kVectors>(p, v, ahead, num_blocks, dim, rescale, d, out);
    }
    const int left = (dim - d) / 16;
    if constexpr (kVectors > 3) {
      if (left == 3)
        return value_tile<kHalf, kRows, 3>(p, v, ahead, num_blocks, dim, rescale, d, out);
    }
    if constexpr (kVectors > 2) {
      if (left == 2)
        return value_tile<kHalf, kRows, 2>(p, v, ahead, num_blocks, dim, rescale, d, out);
    }
    if constexpr (kVectors > 1) {
      if (left == 1)
        return value_tile<kHalf, kRows, 1>(p, v, ahead, num_blocks, dim, rescale, d, out);
    }
  }

  // 1 <= rows <= kMaxTileRows picks the instance.
  template <int kRows = L::kMaxTileRows>
  static void scores(bool half, int rows, const float* q, int dim, const uint8_t* const* k,
                     const uint8_t* const* ahead, int num_blocks, float* s) {
    if constexpr (kRows > 1) {
      if (rows < kRows) return scores<kRows - 1>(half, rows, q, dim, k, ahead, num_blocks, s);
    }
    return half ? score_rows<true, kRows>(q, dim, k, ahead, num_blocks, s)
                : score_rows<false, kRows>(q, dim, k, ahead, num_blocks, s);
  }
  template <int kRows = L::kMaxTileRows>
  static void values(bool half, int rows, const float* p, const uint8_t* const* v,
                     const uint8_t* const* ahead, int num_blocks, int dim, const float* rescale,
                     float* out) {
    if constexpr (kRows > 1) {
      if (rows < kRows) {
        return values<kRows - 1>(half, rows, p, v, ahead, num_blocks, dim, rescale, out);
      }
    }
    return half ? value_rows<true, kRows>(p, v, ahead, num_blocks, dim, rescale, out)
                : value_rows<false, kRows>(p, v, ahead, num_blocks, dim, rescale, out);
  }
};

}  // namespace
}  // namespace twostroke

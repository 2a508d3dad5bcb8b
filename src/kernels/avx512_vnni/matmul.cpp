// Matmul with AVX-512 VNNI. Per group of K, eight registers of codes stay while the activation rows
// pass by: four activation bytes are broadcast from memory as an operand of vpdpbusd, which costs
// nothing extra, so a row costs eight vpdpbusd and three or four other instructions on the same two
// pipes. No lane is ever shuffled or summed: lane = output row.
#include "kernels/matmul.h"

#include <immintrin.h>

#include "kernels/avx512_vnni/panel_registers.h"

namespace twostroke::avx512_vnni {
namespace {

using AliasedInt = int32_t __attribute__((may_alias));

// acc + sum over the 4 codes of each lane of code * q. By hand because the compiler would spend a
// separate broadcast on the memory operand.
inline __m512i add_dot4(__m512i acc, __m512i codes, const int8_t* q) {
  __asm__("vpdpbusd %2%{1to16%}, %1, %0"
          : "+v"(acc)
          : "v"(codes), "m"(*reinterpret_cast<const AliasedInt*>(q)));
  return acc;
}

// Elements 16 kHalf to 16 kHalf + 15 of the group.
template <int kHalf>
inline __m512i add_half(__m512i acc, const __m512i code[8], const int8_t* q) {
#pragma GCC unroll 4
  for (int j = 4 * kHalf; j < 4 * kHalf + 4; ++j) acc = add_dot4(acc, code[j], q + 4 * j);
  return acc;
}

// The two halves are two chains: one chain of eight would wait for vpdpbusd's latency.
template <PanelForm kForm>
[[gnu::always_inline]] inline __m512 add_group(__m512 acc, const __m512i code[8], const Scales& w,
                                               const QuantGroup& x, int slot) {
  const int8_t* q = x.q[slot];
  const __m512 d = _mm512_set1_ps(x.d[slot]);
  __m512i half0 = _mm512_setzero_si512();
  __m512i half1 = _mm512_setzero_si512();
  if constexpr (kForm == PanelForm::kSymmetric) half0 = _mm512_set1_epi32(x.bias[slot]);
  if constexpr (kForm == PanelForm::kSymmetricHalves) {
    half0 = _mm512_set1_epi32(x.bias16[0][slot]);
    half1 = _mm512_set1_epi32(x.bias16[1][slot]);
  }
  half0 = add_half<0>(half0, code, q);
  half1 = add_half<1>(half1, code, q);
  if constexpr (kForm == PanelForm::kSymmetric || kForm == PanelForm::kMinimum) {
    const __m512 dot = _mm512_cvtepi32_ps(_mm512_add_epi32(half0, half1));
    acc = _mm512_fmadd_ps(_mm512_mul_ps(w.scale[0], d), dot, acc);
    if constexpr (kForm == PanelForm::kMinimum) {
      acc = _mm512_fmadd_ps(w.minimum[0], _mm512_set1_ps(x.s[slot]), acc);
    }
    return acc;
  } else {
    const __m512 dot0 = _mm512_cvtepi32_ps(half0);
    const __m512 dot1 = _mm512_cvtepi32_ps(half1);
    __m512 sum;
    if constexpr (kForm == PanelForm::kSymmetricHalves) {
      sum = _mm512_mul_ps(w.scale[1], dot1);
    } else {
      const float bias0 = static_cast<float>(x.bias16[0][slot]);
      const float bias1 = static_cast<float>(x.bias16[1][slot]);
      sum = _mm512_mul_ps(w.minimum[1], _mm512_set1_ps(bias1));
      sum = _mm512_fmadd_ps(w.minimum[0], _mm512_set1_ps(bias0), sum);
      sum = _mm512_fmadd_ps(w.scale[1], dot1, sum);
    }
    sum = _mm512_fmadd_ps(w.scale[0], dot0, sum);
    return _mm512_fmadd_ps(sum, d, acc);
  }
}

template <PanelLayout kLayout>
[[gnu::always_inline]] inline void load_codes(const uint8_t* block, int group, __m512i code[8]) {
  code[0] = codes<kLayout, 0>(block, group);
  code[1] = codes<kLayout, 1>(block, group);
  code[2] = codes<kLayout, 2>(block, group);
  code[3] = codes<kLayout, 3>(block, group);
  code[4] = codes<kLayout, 4>(block, group);
  code[5] = codes<kLayout, 5>(block, group);
  code[6] = codes<kLayout, 6>(block, group);
  code[7] = codes<kLayout, 7>(block, group);
}

// One panel x kRows rows of a tile of activations from its row `slot` on, or two whole tiles. x:
// [kTiles, num_groups], y: [kTiles * kRows, y_row_stride].
template <PanelLayout kLayout, int kTiles, int kRows>
void multiply_rows(const uint8_t* panel, const QuantGroup* x, int num_groups, int slot, float* y,
                   ptrdiff_t y_row_stride) {
  constexpr int kAll = kTiles * kRows;
  __m512 acc[static_cast<size_t>(kAll)];
#pragma GCC unroll 16
  for (int i = 0; i < kAll; ++i) acc[i] = _mm512_setzero_ps();

  const int first = kTiles == 1 ? slot : 0;
  const QuantGroup* second_tile = x + num_groups;
  const QuantGroup* const end = x + num_groups;
  for (const uint8_t* block = panel; x != end; block += kLayout.block_bytes()) {
    const Constants constants = load_constants<kLayout>(block);
    for (int g = 0; g < kLayout.groups; ++g, ++x, ++second_tile) {
      __m512i code[8];
      load_codes<kLayout>(block, g, code);
      const Scales scales = load_scales<kLayout>(block, g, constants);
#pragma GCC unroll 16
      for (int i = 0; i < kAll; ++i) {
        acc[i] = add_group<kLayout.form>(acc[i], code, scales, i < kRows ? *x : *second_tile,
                                         first + i % kRows);
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kAll; ++i) _mm512_storeu_ps(y + i * y_row_stride, acc[i]);
}

using RowsFn = void (*)(const uint8_t*, const QuantGroup*, int, int, float*, ptrdiff_t);

template <PanelLayout kLayout>
constexpr RowsFn kRowsFns[kRowTile] = {multiply_rows<kLayout, 1, 1>, multiply_rows<kLayout, 1, 2>,
                                       multiply_rows<kLayout, 1, 3>, multiply_rows<kLayout, 1, 4>,
                                       multiply_rows<kLayout, 1, 5>, multiply_rows<kLayout, 1, 6>,
                                       multiply_rows<kLayout, 1, 7>, multiply_rows<kLayout, 1, 8>};

// A panel stays in L1 while the rows pass by.
template <PanelLayout kLayout>
void multiply(const PanelMatrix& w, int panel_begin, int panel_end, const QuantRows& x,
              int row_begin, int row_end, float* y, ptrdiff_t y_row_stride) {
  const int num_groups = x.k / kGroup;
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    const uint8_t* data = w.data + w.panel_bytes * static_cast<size_t>(panel);
    float* out = y + panel * kPanelRows;
    for (int row = row_begin; row < row_end;) {
      const QuantGroup* groups = &quant_group(x, row, 0);
      const int slot = row % kRowTile;
      const int left = row_end - row;
      const bool two_tiles = slot == 0 && left >= 2 * kRowTile;  // codes unpacked half as often
      const int to_end_of_tile = left < kRowTile - slot ? left : kRowTile - slot;
      const RowsFn fn =
          two_tiles ? multiply_rows<kLayout, 2, kRowTile> : kRowsFns<kLayout>[to_end_of_tile - 1];
      fn(data, groups, num_groups, slot, out + row * y_row_stride, y_row_stride);
      row += two_tiles ? 2 * kRowTile : to_end_of_tile;
    }
  }
}

// kRows rows x one panel of floats.
template <int kRows>
void multiply_f32_rows(const float* panel, int k, const float* x, ptrdiff_t x_stride, float* y,
                       ptrdiff_t y_stride) {
  __m512 acc[static_cast<size_t>(kRows)];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) acc[r] = _mm512_setzero_ps();
  for (int i = 0; i < k; ++i) {
    const __m512 w = _mm512_loadu_ps(panel + i * kPanelRows);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      acc[r] = _mm512_fmadd_ps(_mm512_set1_ps(x[r * x_stride + i]), w, acc[r]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) _mm512_storeu_ps(y + r * y_stride, acc[r]);
}

void multiply_f32(const float* panel, int k, const float* x, ptrdiff_t x_stride, int rows, float* y,
                  ptrdiff_t y_stride) {
  int row = 0;
  for (; row + 8 <= rows; row += 8) {
    multiply_f32_rows<8>(panel, k, x + row * x_stride, x_stride, y + row * y_stride, y_stride);
  }
  for (; row < rows; ++row) {
    multiply_f32_rows<1>(panel, k, x + row * x_stride, x_stride, y + row * y_stride, y_stride);
  }
}

template <PanelLayout... kLayouts>
constexpr MatmulKernels make_table() {
  MatmulKernels table = {};
  ((table.quantized[kLayouts.type] = multiply<kLayouts>), ...);
  table.f32 = multiply_f32;
  return table;
}

constexpr MatmulKernels kTable =
    make_table<kPanelQ4_0, kPanelQ4_1, kPanelQ5_0, kPanelQ5_1, kPanelQ8_0, kPanelQ2_K, kPanelQ3_K,
               kPanelQ4_K, kPanelQ5_K, kPanelQ6_K, kPanelIQ4_NL, kPanelIQ4_XS, kPanelMXFP4>();

}  // namespace

const MatmulKernels& matmul_kernels() {
  return kTable;
}

}  // namespace twostroke::avx512_vnni

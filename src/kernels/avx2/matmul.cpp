// Matmul with AVX2. Four activation bytes are broadcast once for both halves of the panel; products
// are summed in 16 bits (vpmaddubsw) for as long as they cannot overflow, then widened (vpmaddwd).
// Codes of 8 bits could overflow at once; their two nibbles are multiplied apart. All integer sums
// are exact, so the results are the specification's.
#include "kernels/matmul.h"

#include <immintrin.h>

#include "kernels/avx2/panel_registers.h"

namespace twostroke::avx2 {
namespace {

constexpr int kHalves = 2;  // of the panel: 8 rows in a ymm

using AliasedInt = int32_t __attribute__((may_alias));

inline __m256i broadcast4(const int8_t* q) {
  return _mm256_set1_epi32(*reinterpret_cast<const AliasedInt*>(q));
}

// Ends an expression here. g++ would rebalance the chains of integer additions into trees, for
// which there are not enough registers: half of the instructions became spills.
inline void pin(__m256i& value) {
  __asm__("" : "+x"(value));
}

template <int kRows>
struct Dots {
  __m256i sum[static_cast<size_t>(kRows)][kHalves];  // 32-bit
};

// Eight-bit codes are multiplied as two nibbles, the others whole.
template <PanelLayout kLayout>
constexpr int kParts = is_wide(kLayout) ? 2 : 1;

// 16-bit sums that are not widened yet.
template <PanelLayout kLayout, int kRows>
struct Pending {
  __m256i sum[static_cast<size_t>(kRows)][kHalves][static_cast<size_t>(kParts<kLayout>)];
};

// Adds elements 4 kJ to 4 kEnd - 1 of the group, starting afresh at kBegin.
template <PanelLayout kLayout, int kRows, int kBegin, int kJ, int kEnd>
[[gnu::always_inline]] inline void add_dots(const uint8_t* block, int group, const QuantGroup& x,
                                            int slot, Pending<kLayout, kRows>& pending,
                                            Dots<kRows>& dots) {
  constexpr int kMost = max_chain(kLayout);
  constexpr int kChain = kMost < kEnd - kBegin ? kMost : kEnd - kBegin;
  constexpr int kPlace = (kJ - kBegin) % kChain;
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i widen[2] = {_mm256_set1_epi16(1 << dot_shift(kLayout)), _mm256_set1_epi16(16)};
#pragma GCC unroll 2
  for (int half = 0; half < kHalves; ++half) {
    __m256i part[2];
    part[0] = codes<kLayout, kJ>(block, group, half);
    if constexpr (is_wide(kLayout)) {
      part[1] = _mm256_and_si256(_mm256_srli_epi16(part[0], 4), nibble);
      part[0] = _mm256_and_si256(part[0], nibble);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const __m256i q = broadcast4(x.q[slot + i] + 4 * kJ);
#pragma GCC unroll 2
      for (int p = 0; p < kParts<kLayout>; ++p) {
        __m256i& chain = pending.sum[i][half][p];
        const __m256i product = _mm256_maddubs_epi16(part[p], q);
        chain = kPlace == 0 ? product : _mm256_add_epi16(chain, product);
        pin(chain);
        if constexpr (kPlace == kChain - 1) {
          __m256i& sum = dots.sum[i][half];
          const __m256i wide = _mm256_madd_epi16(chain, widen[p]);
          sum = kJ - kBegin < kChain && p == 0 ? wide : _mm256_add_epi32(sum, wide);
          pin(sum);
        }
      }
    }
  }
  if constexpr (kJ + 1 < kEnd) {
    add_dots<kLayout, kRows, kBegin, kJ + 1, kEnd>(block, group, x, slot, pending, dots);
  }
}

template <PanelLayout kLayout, int kRows, int kBegin, int kEnd>
[[gnu::always_inline]] inline void compute_dots(const uint8_t* block, int group,
                                                const QuantGroup& x, int slot, Dots<kRows>& dots) {
  Pending<kLayout, kRows> pending;
  add_dots<kLayout, kRows, kBegin, kBegin, kEnd>(block, group, x, slot, pending, dots);
}

inline __m256 to_float(__m256i dot, const int32_t& bias) {
  return _mm256_cvtepi32_ps(_mm256_add_epi32(dot, _mm256_set1_epi32(bias)));
}

// Types with one scale.
template <PanelLayout kLayout, int kRows>
[[gnu::always_inline]] inline void add_group(const uint8_t* block, int group,
                                             const Constants constants[kHalves],
                                             const QuantGroup& x, int slot, __m256 acc[][kHalves]) {
  Dots<kRows> dots;
  compute_dots<kLayout, kRows, 0, 8>(block, group, x, slot, dots);
#pragma GCC unroll 2
  for (int half = 0; half < kHalves; ++half) {
    const Scales w = load_scales<kLayout>(block, group, half, constants[half]);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const int s = slot + i;
      const __m256 scale = _mm256_mul_ps(w.scale[0], _mm256_set1_ps(x.d[s]));
      __m256& sum = acc[i][half];
      if constexpr (kLayout.form == PanelForm::kSymmetric) {
        sum = _mm256_fmadd_ps(scale, to_float(dots.sum[i][half], x.bias[s]), sum);
      } else {
        sum = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(dots.sum[i][half]), sum);
        sum = _mm256_fmadd_ps(w.minimum[0], _mm256_set1_ps(x.s[s]), sum);
      }
    }
  }
}

// Types with one scale for each half of K.
template <PanelLayout kLayout, int kRows>
[[gnu::always_inline]] inline void add_group_halves(const uint8_t* block, int group,
                                                    const Constants constants[kHalves],
                                                    const QuantGroup& x, int slot,
                                                    __m256 acc[][kHalves]) {
  Dots<kRows> first;
  Dots<kRows> second;
  compute_dots<kLayout, kRows, 0, 4>(block, group, x, slot, first);
  compute_dots<kLayout, kRows, 4, 8>(block, group, x, slot, second);
#pragma GCC unroll 2
  for (int half = 0; half < kHalves; ++half) {
    const Scales w = load_scales<kLayout>(block, group, half, constants[half]);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const int s = slot + i;
      const int32_t& bias0 = x.bias16[0][s];
      const int32_t& bias1 = x.bias16[1][s];
      __m256 sum;
      if constexpr (kLayout.form == PanelForm::kSymmetricHalves) {
        sum = _mm256_mul_ps(w.scale[1], to_float(second.sum[i][half], bias1));
        sum = _mm256_fmadd_ps(w.scale[0], to_float(first.sum[i][half], bias0), sum);
      } else {
        sum = _mm256_mul_ps(w.minimum[1], _mm256_set1_ps(static_cast<float>(bias1)));
        sum = _mm256_fmadd_ps(w.minimum[0], _mm256_set1_ps(static_cast<float>(bias0)), sum);
        sum = _mm256_fmadd_ps(w.scale[1], _mm256_cvtepi32_ps(second.sum[i][half]), sum);
        sum = _mm256_fmadd_ps(w.scale[0], _mm256_cvtepi32_ps(first.sum[i][half]), sum);
      }
      acc[i][half] = _mm256_fmadd_ps(sum, _mm256_set1_ps(x.d[s]), acc[i][half]);
    }
  }
}

// One panel x kRows rows of a tile of activations, from its row `slot` on. x: [k / 32], the tile's
// groups. y: [kRows, y_row_stride].
template <PanelLayout kLayout, int kRows>
void multiply_tile(const uint8_t* panel, const QuantGroup* x, int num_groups, int slot, float* y,
                   ptrdiff_t y_row_stride) {
  __m256 acc[static_cast<size_t>(kRows)][kHalves];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) acc[i][0] = acc[i][1] = _mm256_setzero_ps();

  const QuantGroup* const end = x + num_groups;
  for (const uint8_t* block = panel; x != end; block += kLayout.block_bytes()) {
    const Constants constants[kHalves] = {load_constants<kLayout>(block, 0),
                                          load_constants<kLayout>(block, 1)};
    for (int g = 0; g < kLayout.groups; ++g, ++x) {
      if constexpr (kLayout.has_halves()) {
        add_group_halves<kLayout, kRows>(block, g, constants, *x, slot, acc);
      } else {
        add_group<kLayout, kRows>(block, g, constants, *x, slot, acc);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    _mm256_storeu_ps(y + i * y_row_stride, acc[i][0]);
    _mm256_storeu_ps(y + i * y_row_stride + 8, acc[i][1]);
  }
}

// Sums of 4 rows x 16 outputs fill half of the registers; more rows only spill.
constexpr int kMostRows = 4;

using TileFn = void (*)(const uint8_t*, const QuantGroup*, int, int, float*, ptrdiff_t);

template <PanelLayout kLayout>
constexpr TileFn kTileFns[kMostRows] = {multiply_tile<kLayout, 1>, multiply_tile<kLayout, 2>,
                                        multiply_tile<kLayout, 3>, multiply_tile<kLayout, 4>};

// A panel stays in L1 while the rows pass by.
template <PanelLayout kLayout>
void multiply(const PanelMatrix& w, int panel_begin, int panel_end, const QuantRows& x,
              int row_begin, int row_end, float* y, ptrdiff_t y_row_stride) {
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    const uint8_t* data = w.data + w.panel_bytes * static_cast<size_t>(panel);
    float* out = y + panel * kPanelRows;
    for (int row = row_begin; row < row_end;) {
      const int slot = row % kRowTile;
      int rows = row_end - row;
      if (rows > kRowTile - slot) rows = kRowTile - slot;
      if (rows > kMostRows) rows = kMostRows;
      kTileFns<kLayout>[rows - 1](data, &quant_group(x, row, 0), x.k / kGroup, slot,
                                  out + row * y_row_stride, y_row_stride);
      row += rows;
    }
  }
}

// kRows rows x one panel of floats.
template <int kRows>
void multiply_f32_rows(const float* panel, int k, const float* x, ptrdiff_t x_stride, float* y,
                       ptrdiff_t y_stride) {
  __m256 acc[static_cast<size_t>(kRows)][kHalves];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) acc[r][0] = acc[r][1] = _mm256_setzero_ps();
  for (int i = 0; i < k; ++i) {
    const __m256 low = _mm256_loadu_ps(panel + i * kPanelRows);
    const __m256 high = _mm256_loadu_ps(panel + i * kPanelRows + 8);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256 value = _mm256_broadcast_ss(x + r * x_stride + i);
      acc[r][0] = _mm256_fmadd_ps(value, low, acc[r][0]);
      acc[r][1] = _mm256_fmadd_ps(value, high, acc[r][1]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    _mm256_storeu_ps(y + r * y_stride, acc[r][0]);
    _mm256_storeu_ps(y + r * y_stride + 8, acc[r][1]);
  }
}

void multiply_f32(const float* panel, int k, const float* x, ptrdiff_t x_stride, int rows, float* y,
                  ptrdiff_t y_stride) {
  int row = 0;
  for (; row + 6 <= rows; row += 6) {
    multiply_f32_rows<6>(panel, k, x + row * x_stride, x_stride, y + row * y_stride, y_stride);
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

}  // namespace twostroke::avx2

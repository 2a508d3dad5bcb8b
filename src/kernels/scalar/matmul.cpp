// The specification of the integer matmul: what a panel's bits mean, and the one order of
// floating-point operations. Integer dots are exact in any order; everything else is written down
// here once and the other ISAs agree bit for bit. For one output (weight row, activation row):
//
//   acc = 0
//   for every group of 32 along K, in order, with dot = sum of code * q (exact):
//     kSymmetric        acc = fma(scale * d, dot + bias, acc)
//     kMinimum          acc = fma(scale * d, dot, acc);  acc = fma(minimum, s, acc)
//     kSymmetricHalves  t = scale1 * (dot1 + bias16_1);  t = fma(scale0, dot0 + bias16_0, t)
//                       acc = fma(t, d, acc)
//     kMinimumHalves    t = minimum1 * bias16_1;  t = fma(minimum0, bias16_0, t)
//                       t = fma(scale1, dot1, t);  t = fma(scale0, dot0, t);  acc = fma(t, d, acc)
//
// with d, s, bias of the activations (types.h). scale and minimum are products of few-bit numbers
// and exact in f32.
#include "kernels/matmul.h"

#include <string.h>

#include "kernels/panel_layout.h"
#include "kernels/scalar/arithmetic.h"
#include "quant/f16.h"

namespace twostroke::scalar {
namespace {

struct Group {
  uint8_t code[kGroup][kPanelRows];
  float scale[2][kPanelRows];  // [half]; kSymmetric and kMinimum use the first alone
  float minimum[2][kPanelRows];
};

int field(const uint8_t* plane, int bits, int element, int row) {
  const int j = element / 4;
  const int byte = plane[64 * (j % bits) + 4 * row + element % 4];
  return (byte >> (bits * (j / bits))) & ((1 << bits) - 1);
}

// The code as the dot product takes it: of symmetric types, with its zero at 128.
template <PanelLayout kLayout>
uint8_t dot_code(const uint8_t* block, int group, int element, int row) {
  int code = field(block + kLayout.low(group), kLayout.low_bits, element, row);
  if constexpr (kLayout.high_bits != 0) {
    const int high = field(block + kLayout.high(group), kLayout.high_bits, element, row);
    code |= high << kLayout.low_bits;
  }
  if constexpr (kLayout.type == kPanelMXFP4.type) return kMxfp4Codes[code];
  if constexpr (is_table_type(kLayout)) return kIq4Codes[code];
  return static_cast<uint8_t>(kLayout.has_minimum() ? code : code << (8 - kLayout.bits()));
}

float mxfp4_scale(uint8_t exponent) {  // 2^(exponent - 128); 0 and 1 are subnormal
  return f32_from_bits(exponent < 2 ? 0x00200000U << exponent
                                    : static_cast<uint32_t>(exponent - 1) << 23);
}

template <PanelLayout kLayout>
void read_scales(const uint8_t* block, int group, int row, Group& out) {
  const uint8_t* constants = block + kLayout.constants();
  if constexpr (kLayout.type == kPanelMXFP4.type) {
    out.scale[0][row] = mxfp4_scale(constants[row]);
    return;
  }
  const float d = load_f16(constants + 2 * row) * scale_factor(kLayout);
  float dmin = 0.0F;
  if constexpr (kLayout.has_minimum()) {
    dmin = load_f16(constants + 32 + 2 * row) * minimum_factor(kLayout);
  }
  const uint8_t* scales = block + kLayout.scales(group) + row;
  switch (kLayout.type) {
    case kPanelQ2_K.type:
      for (int half = 0; half < 2; ++half) {
        const int byte = scales[kPanelRows * half];
        out.scale[half][row] = d * static_cast<float>(byte & 15);
        out.minimum[half][row] = dmin * static_cast<float>(byte >> 4);
      }
      break;
    case kPanelQ3_K.type:
      for (int half = 0; half < 2; ++half) {
        out.scale[half][row] = d * static_cast<float>(scales[kPanelRows * half] - 32);
      }
      break;
    case kPanelQ6_K.type:
      for (int half = 0; half < 2; ++half) {
        out.scale[half][row] =
            d * static_cast<float>(static_cast<int8_t>(scales[kPanelRows * half]));
      }
      break;
    case kPanelQ4_K.type:
    case kPanelQ5_K.type:
      out.scale[0][row] = d * static_cast<float>(scales[0]);
      out.minimum[0][row] = dmin * static_cast<float>(scales[kPanelRows]);
      break;
    case kPanelIQ4_XS.type:
      out.scale[0][row] = d * static_cast<float>(scales[0] - 32);
      break;
    default:
      out.scale[0][row] = d;
      out.minimum[0][row] = dmin;
  }
}

template <PanelLayout kLayout>
void read_group(const uint8_t* block, int group, Group& out) {
  for (int row = 0; row < kPanelRows; ++row) {
    for (int i = 0; i < kGroup; ++i) out.code[i][row] = dot_code<kLayout>(block, group, i, row);
    read_scales<kLayout>(block, group, row, out);
  }
}

// dot[half][row]
void integer_dots(const Group& w, const int8_t* q, int32_t dot[2][kPanelRows]) {
  memset(dot, 0, 2 * kPanelRows * sizeof(int32_t));
  for (int i = 0; i < kGroup; ++i) {
    for (int row = 0; row < kPanelRows; ++row) dot[i / 16][row] += w.code[i][row] * q[i];
  }
}

template <PanelForm kForm>
float add_group(const Group& w, int row, const int32_t dot[2][kPanelRows], const QuantGroup& x,
                int slot, float acc) {
  const int dot0 = dot[0][row];
  const int dot1 = dot[1][row];
  const float d = x.d[slot];
  const int bias0 = x.bias16[0][slot];
  const int bias1 = x.bias16[1][slot];
  if constexpr (kForm == PanelForm::kSymmetric) {
    return fma_f32(w.scale[0][row] * d, static_cast<float>(dot0 + dot1 + x.bias[slot]), acc);
  } else if constexpr (kForm == PanelForm::kMinimum) {
    acc = fma_f32(w.scale[0][row] * d, static_cast<float>(dot0 + dot1), acc);
    return fma_f32(w.minimum[0][row], x.s[slot], acc);
  } else if constexpr (kForm == PanelForm::kSymmetricHalves) {
    float t = w.scale[1][row] * static_cast<float>(dot1 + bias1);
    t = fma_f32(w.scale[0][row], static_cast<float>(dot0 + bias0), t);
    return fma_f32(t, d, acc);
  } else {
    float t = w.minimum[1][row] * static_cast<float>(bias1);
    t = fma_f32(w.minimum[0][row], static_cast<float>(bias0), t);
    t = fma_f32(w.scale[1][row], static_cast<float>(dot1), t);
    t = fma_f32(w.scale[0][row], static_cast<float>(dot0), t);
    return fma_f32(t, d, acc);
  }
}

// One panel x one tile of activation rows.
template <PanelLayout kLayout>
void multiply_tile(const uint8_t* panel, const QuantRows& x, int row_begin, int row_end, float* y,
                   ptrdiff_t y_row_stride) {
  float acc[kRowTile][kPanelRows] = {};
  Group w;
  for (int g = 0; g < x.k / kGroup; ++g) {
    const uint8_t* block = panel + g / kLayout.groups * kLayout.block_bytes();
    read_group<kLayout>(block, g % kLayout.groups, w);
    for (int row = row_begin; row < row_end; ++row) {
      const QuantGroup& group = quant_group(x, row, g);
      const int slot = row % kRowTile;
      int32_t dot[2][kPanelRows];
      integer_dots(w, group.q[slot], dot);
      for (int lane = 0; lane < kPanelRows; ++lane) {
        acc[slot][lane] = add_group<kLayout.form>(w, lane, dot, group, slot, acc[slot][lane]);
      }
    }
  }
  for (int row = row_begin; row < row_end; ++row) {
    memcpy(y + row * y_row_stride, acc[row % kRowTile], sizeof(acc[0]));
  }
}

template <PanelLayout kLayout>
void multiply(const PanelMatrix& w, int panel_begin, int panel_end, const QuantRows& x,
              int row_begin, int row_end, float* y, ptrdiff_t y_row_stride) {
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    const uint8_t* data = w.data + w.panel_bytes * static_cast<size_t>(panel);
    for (int row = row_begin; row < row_end;) {
      const int tile_end = (row / kRowTile + 1) * kRowTile;
      const int end = tile_end < row_end ? tile_end : row_end;
      multiply_tile<kLayout>(data, x, row, end, y + panel * kPanelRows, y_row_stride);
      row = end;
    }
  }
}

void multiply_f32(const float* panel, int k, const float* x, ptrdiff_t x_stride, int rows, float* y,
                  ptrdiff_t y_stride) {
  for (int row = 0; row < rows; ++row) {
    float acc[kPanelRows] = {};
    for (int i = 0; i < k; ++i) {
      const float value = x[row * x_stride + i];
      for (int lane = 0; lane < kPanelRows; ++lane) {
        acc[lane] = fma_f32(value, panel[i * kPanelRows + lane], acc[lane]);
      }
    }
    memcpy(y + row * y_stride, acc, sizeof(acc));
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

}  // namespace twostroke::scalar

// Matrix multiplication: packed weights x activations. Two paths. The integer path multiplies
// panels with activations quantised in groups of 32; the exact path dequantises one panel and
// multiplies in f32, for any type. One table per ISA; kernels/scalar is the specification and the
// others agree with it bit for bit, for every row count, tile position and panel range (law 1): one
// output's operations depend on its weight row, its activation row and k alone. Pure functions: any
// thread, no state, no allocation.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/types.h"

namespace twostroke {

// ggml type numbers stay below this.
inline constexpr int kMaxQuantTypes = 64;

// y[row * y_row_stride + n] for row in [row_begin, row_end) and the 16 rows n of every panel in
// [panel_begin, panel_end); rows and n are absolute. Whole panels are written: a row of y needs
// room for n rounded up to a multiple of 16 (the values past n are zeros). Per output: acc = 0; for
// every group of K in order
//   acc = fma(d_w * d_x, float(integer dot), acc)
//   acc = fma(m_w, s_x, acc)              (types with minima)
// where types with two scales per group (Q2_K, Q3_K, Q6_K) join their halves first: kernels/scalar.
using MatmulFn = void (*)(const PanelMatrix& w, int panel_begin, int panel_end, const QuantRows& x,
                          int row_begin, int row_end, float* y, ptrdiff_t y_row_stride);

// y[row * y_stride + lane] = sum over K in order of fma(x[row * x_stride + i], panel[i * 16 +
// lane]). panel: [k, 16] f32, 64-byte aligned.
using MatmulF32Fn = void (*)(const float* panel, int k, const float* x, ptrdiff_t x_stride,
                             int rows, float* y, ptrdiff_t y_stride);

struct MatmulKernels {
  MatmulFn quantized[kMaxQuantTypes];  // by type; nullptr: only the exact path
  MatmulF32Fn f32;
};

namespace scalar {
const MatmulKernels& matmul_kernels();
}
namespace avx2 {
const MatmulKernels& matmul_kernels();
}
namespace avx512_vnni {
const MatmulKernels& matmul_kernels();
}

}  // namespace twostroke

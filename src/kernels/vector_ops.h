// The row-wise kernels beside matmul and attention: norms, rotary embedding, gated activations,
// quantisation of activations, argmax. One table per ISA; kernels/scalar/vector_ops.cpp is the
// specification and the other tables agree with it bit for bit (law 1). Pure functions: any thread,
// no state, no allocation. Pointers need no alignment. Inputs must be finite unless said otherwise.
#pragma once

#include <stdint.h>

#include "kernels/types.h"

namespace twostroke {

struct VectorKernels {
  // y[i] = (x[i] * inv_rms) * weight[i], inv_rms = 1 / sqrt(mean(x^2) + eps). x, weight, y: [n]; y
  // may be x.
  void (*rms_norm)(const float* x, const float* weight, int n, float eps, float* y);

  // Row `out_row` of `out` = x * weight quantised in groups of 32, with d and s multiplied by
  // inv_rms at the end (as if y / inv_rms were quantised and rescaled). REQUIRES: n == out.k.
  void (*rms_norm_quantize)(const float* x, const float* weight, int n, float eps,
                            const QuantRows& out, int out_row);

  // Columns [out_column, out_column + n) of row `out_row` of `out` = x quantised, so that threads
  // can share a row. REQUIRES: n and out_column multiples of 32, out_column + n <= out.k. Groups
  // whose absmax is below kQuantizeFloor become zeros with d = 0.
  void (*quantize_row)(const float* x, int n, const QuantRows& out, int out_row, int out_column);

  // Rotates the first rope_dim values of one head in place. cos, sin: [rope_dim / 2]; rope_dim is
  // even. norm: pairs (x[2i], x[2i+1]); neox: pairs (x[i], x[i + rope_dim/2]).
  void (*rope_norm)(float* x, const float* cos, const float* sin, int rope_dim);
  void (*rope_neox)(float* x, const float* cos, const float* sin, int rope_dim);

  // out[i] = silu(gate[i]) * up[i], or gelu(gate[i]) * up[i] with the tanh approximation of GELU.
  // gate, up, out: [n]; out may be gate or up.
  void (*silu_mul)(const float* gate, const float* up, int n, float* out);
  void (*gelu_tanh_mul)(const float* gate, const float* up, int n, float* out);
  // The same, then quantize_row; the f32 values are never stored.
  void (*silu_mul_quantize)(const float* gate, const float* up, int n, const QuantRows& out,
                            int out_row, int out_column);
  void (*gelu_tanh_mul_quantize)(const float* gate, const float* up, int n, const QuantRows& out,
                                 int out_row, int out_column);

  void (*add)(float* x, const float* y, int n);          // x += y
  void (*scale)(float* x, float factor, int n);          // x *= factor
  void (*exp)(const float* x, int n, float* y);          // y = e^x; 0 below -87, clipped above 88
  int (*argmax)(const float* x, int n);                  // the lowest index of the maximum; n >= 1
  float (*exp_sum)(const float* x, int n, float shift);  // sum of e^(x[i] - shift)

  void (*f32_to_f16)(const float* x, int n, uint16_t* y);  // to nearest even
  void (*f16_to_f32)(const uint16_t* x, int n, float* y);
};

// Below this absmax a group of activations is all zeros (127 / absmax would overflow).
inline constexpr float kQuantizeFloor = 1e-30F;

namespace scalar {
const VectorKernels& vector_kernels();
}
namespace avx2 {
const VectorKernels& vector_kernels();
}
namespace avx512_vnni {
const VectorKernels& vector_kernels();
}

}  // namespace twostroke

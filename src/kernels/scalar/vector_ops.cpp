// The specification of the row-wise kernels: plain loops in the order that every ISA keeps.
#include "kernels/vector_ops.h"

#include "kernels/scalar/arithmetic.h"

namespace twostroke::scalar {
namespace {

float inverse_rms(const float* x, int n, float eps) {
  WideSum squares;
  for (int i = 0; i < n; ++i) {
    float& lane = squares.lanes[i % 64];
    lane = fma_f32(x[i], x[i], lane);
  }
  return 1.0F / sqrtf(squares.total() / static_cast<float>(n) + eps);
}

void rms_norm(const float* x, const float* weight, int n, float eps, float* y) {
  const float inv_rms = inverse_rms(x, n, eps);
  for (int i = 0; i < n; ++i) y[i] = (x[i] * inv_rms) * weight[i];
}

// One group y[32] to group `g` of row `row`; d and s are multiplied by `factor`.
void quantize_group(const float y[kGroup], float factor, const QuantRows& out, int row, int g) {
  float absmax = 0.0F;
  for (int i = 0; i < kGroup; ++i) absmax = max_f32(fabsf(y[i]), absmax);
  const bool zero = !(absmax > kQuantizeFloor);
  const float inverse = zero ? 0.0F : 127.0F / absmax;
  QuantGroup& group = quant_group(out, row, g);
  const int slot = row % kRowTile;
  int32_t half_sum[2] = {0, 0};
  for (int i = 0; i < kGroup; ++i) {
    const int q = static_cast<int>(rintf(y[i] * inverse));
    group.q[slot][i] = static_cast<int8_t>(q);
    half_sum[i / kLanes] += q;
  }
  group.d[slot] = zero ? 0.0F : (absmax / 127.0F) * factor;
  group.s[slot] = group.d[slot] * static_cast<float>(half_sum[0] + half_sum[1]);
  group.bias[slot] = -128 * (half_sum[0] + half_sum[1]);
  group.bias16[0][slot] = -128 * half_sum[0];
  group.bias16[1][slot] = -128 * half_sum[1];
}

void rms_norm_quantize(const float* x, const float* weight, int n, float eps, const QuantRows& out,
                       int out_row) {
  const float inv_rms = inverse_rms(x, n, eps);
  for (int g = 0; g < n / kGroup; ++g) {
    float y[kGroup];
    for (int i = 0; i < kGroup; ++i) y[i] = x[g * kGroup + i] * weight[g * kGroup + i];
    quantize_group(y, inv_rms, out, out_row, g);
  }
}

void quantize_row(const float* x, int n, const QuantRows& out, int out_row, int out_column) {
  for (int g = 0; g < n / kGroup; ++g) {
    quantize_group(x + g * kGroup, 1.0F, out, out_row, out_column / kGroup + g);
  }
}

void rope_pair(float& a, float& b, float c, float s) {
  const float rotated = fma_f32(a, c, -(b * s));
  b = fma_f32(b, c, a * s);
  a = rotated;
}

void rope_norm(float* x, const float* cos, const float* sin, int rope_dim) {
  for (int i = 0; i < rope_dim / 2; ++i) rope_pair(x[2 * i], x[2 * i + 1], cos[i], sin[i]);
}

void rope_neox(float* x, const float* cos, const float* sin, int rope_dim) {
  const int half = rope_dim / 2;
  for (int i = 0; i < half; ++i) rope_pair(x[i], x[i + half], cos[i], sin[i]);
}

float silu(float x) {
  return x / (1.0F + exp_f32(-x));
}

float gelu_tanh(float x) {
  const float z = x * fma_f32(x * x, kGelu3, kGelu1);
  return x / (1.0F + exp_f32(-z));
}

template <float (*kActivation)(float)>
void activate_mul(const float* gate, const float* up, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = kActivation(gate[i]) * up[i];
}

template <float (*kActivation)(float)>
void activate_mul_quantize(const float* gate, const float* up, int n, const QuantRows& out,
                           int out_row, int out_column) {
  for (int g = 0; g < n / kGroup; ++g) {
    float y[kGroup];
    activate_mul<kActivation>(gate + g * kGroup, up + g * kGroup, kGroup, y);
    quantize_group(y, 1.0F, out, out_row, out_column / kGroup + g);
  }
}

void add(float* x, const float* y, int n) {
  for (int i = 0; i < n; ++i) x[i] = x[i] + y[i];
}

void scale(float* x, float factor, int n) {
  for (int i = 0; i < n; ++i) x[i] = x[i] * factor;
}

void exp(const float* x, int n, float* y) {
  for (int i = 0; i < n; ++i) y[i] = exp_f32(x[i]);
}

int argmax(const float* x, int n) {
  int best = 0;
  for (int i = 1; i < n; ++i) {
    if (x[i] > x[best]) best = i;
  }
  return best;
}

float exp_sum(const float* x, int n, float shift) {
  WideSum sum;
  for (int i = 0; i < n; ++i) sum.lanes[i % 64] += exp_f32(x[i] - shift);
  return sum.total();
}

void convert_f32_to_f16(const float* x, int n, uint16_t* y) {
  for (int i = 0; i < n; ++i) y[i] = f32_to_f16(x[i]);
}

void convert_f16_to_f32(const uint16_t* x, int n, float* y) {
  for (int i = 0; i < n; ++i) y[i] = f16_to_f32(x[i]);
}

constexpr VectorKernels kVectorKernels = {
    .rms_norm = rms_norm,
    .rms_norm_quantize = rms_norm_quantize,
    .quantize_row = quantize_row,
    .rope_norm = rope_norm,
    .rope_neox = rope_neox,
    .silu_mul = activate_mul<silu>,
    .gelu_tanh_mul = activate_mul<gelu_tanh>,
    .silu_mul_quantize = activate_mul_quantize<silu>,
    .gelu_tanh_mul_quantize = activate_mul_quantize<gelu_tanh>,
    .add = add,
    .scale = scale,
    .exp = exp,
    .argmax = argmax,
    .exp_sum = exp_sum,
    .f32_to_f16 = convert_f32_to_f16,
    .f16_to_f32 = convert_f16_to_f32,
};

}  // namespace

const VectorKernels& vector_kernels() {
  return kVectorKernels;
}

}  // namespace twostroke::scalar

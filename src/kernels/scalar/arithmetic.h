// The scalar specification of what all kernels share: fixed-order sums over 16 lanes, our
// exponential, IEEE half precision. Everything is in an anonymous namespace: the ISA folders leak
// no symbols.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/exp2_polynomial.h"

namespace twostroke::scalar {
namespace {

constexpr int kLanes = 16;

inline float fma_f32(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}

// What the SIMD max instruction does: the second operand when either is NaN or both are zero.
inline float max_f32(float a, float b) {
  return a > b ? a : b;
}

// Lane i + lane i+8, then i+4, i+2, i+1.
inline float tree_sum(const float lanes[kLanes]) {
  float sum[kLanes];
  memcpy(sum, lanes, sizeof(sum));
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sum[i] = sum[i] + sum[i + width];
  }
  return sum[0];
}

// Four groups of 16 lanes, element i in lane i % 64.
struct WideSum {
  float lanes[4 * kLanes] = {};
  float total() const {
    float sum[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      sum[i] = (lanes[i] + lanes[i + 16]) + (lanes[i + 32] + lanes[i + 48]);
    }
    return tree_sum(sum);
  }
};

// 2^n * 2^f for n = round(t), result normal.
inline float exp2_scaled(float n, float f) {
  float p = fma_f32(kExp2C6, f, kExp2C5);
  p = fma_f32(p, f, kExp2C4);
  p = fma_f32(p, f, kExp2C3);
  p = fma_f32(p, f, kExp2C2);
  p = fma_f32(p, f, kExp2C1);
  p = fma_f32(p, f, 1.0F);
  int32_t bits;
  memcpy(&bits, &p, sizeof(bits));
  bits += static_cast<int32_t>(n) * (1 << 23);
  memcpy(&p, &bits, sizeof(p));
  return p;
}

// 2^t for t <= 127; exactly 0 for t < kExp2Floor and for NaN (a masked key of a row that saw no key
// yet).
inline float exp2_or_zero(float t) {
  if (!(t >= kExp2Floor)) return 0.0F;
  const float n = rintf(t);
  return exp2_scaled(n, t - n);
}

// e^x; exactly 0 for x < kExpFloor and for NaN, clipped above kExpCeiling.
inline float exp_f32(float x) {
  if (!(x >= kExpFloor)) return 0.0F;
  if (x > kExpCeiling) x = kExpCeiling;
  const float n = rintf(x * kLog2E);
  return exp2_scaled(n, fma_f32(x, kLog2ELow, fma_f32(x, kLog2E, -n)));
}

inline float f16_to_f32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 0x1FU;
  const uint32_t mantissa = half & 0x3FFU;
  float value;
  if (exponent == 0) {
    value = static_cast<float>(mantissa) * 0x1p-24F;  // exact
    return sign != 0 ? -value : value;
  }
  uint32_t bits = sign | ((exponent + 112U) << 23) | (mantissa << 13);
  if (exponent == 31) {
    bits = sign | 0x7F800000U | (mantissa << 13);
    if (mantissa != 0) bits |= 0x400000U;  // quiet
  }
  memcpy(&value, &bits, sizeof(value));
  return value;
}

inline uint16_t f32_to_f16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = (bits >> 16) & 0x8000U;
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  uint32_t half;
  if (magnitude > 0x7F800000U) {  // NaN, quiet, top of the payload
    half = 0x7E00U | ((magnitude >> 13) & 0x3FFU);
  } else if (magnitude >= 0x477FF000U) {  // rounds past 65504
    half = 0x7C00U;
  } else if (magnitude < 0x38800000U) {  // subnormal half: adding 0.5 puts its ulp at the half's
    float absolute;
    memcpy(&absolute, &magnitude, sizeof(absolute));
    absolute += 0.5F;
    uint32_t shifted;
    memcpy(&shifted, &absolute, sizeof(shifted));
    half = shifted - 0x3F000000U;
  } else {
    half = (magnitude - 0x38000000U + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

}  // namespace
}  // namespace twostroke::scalar

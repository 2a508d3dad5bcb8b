// IEEE binary16 and bfloat16 to and from float, exactly: subnormals, infinities and NaN payloads
// included. Scalar, the specification of what kernels do with instructions. C headers only and
// internal linkage, so that a copy built for a newer CPU can never replace the baseline one (see
// CONTRIBUTING, "ISA hygiene").
#pragma once

#include <stdint.h>
#include <string.h>

namespace twostroke {

static inline uint32_t f32_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static inline float f32_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static inline float f16_to_f32(uint16_t half) {
  const uint32_t sign = (static_cast<uint32_t>(half) & 0x8000U) << 16;
  const uint32_t exponent = half & 0x7c00U;
  const uint32_t mantissa = half & 0x03ffU;
  if (exponent == 0x7c00U) return f32_from_bits(sign | 0x7f800000U | (mantissa << 13));
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;  // exact: at most 10 bits
    return f32_from_bits(sign | f32_bits(magnitude));
  }
  return f32_from_bits(sign | ((exponent << 13) + 0x38000000U) | (mantissa << 13));
}

// Rounds to nearest, ties to even; NaN stays NaN (made quiet), too large becomes infinity.
static inline uint16_t f32_to_f16(float value) {
  const uint32_t bits = f32_bits(value);
  const uint32_t sign = (bits >> 16) & 0x8000U;
  const uint32_t magnitude = bits & 0x7fffffffU;
  uint32_t half;
  if (magnitude > 0x7f800000U) {
    half = 0x7e00U | ((magnitude >> 13) & 0x03ffU);
  } else if (magnitude >= 0x477ff000U) {  // 65520: halfway to the first value past the range
    half = 0x7c00U;
  } else if (magnitude < 0x38800000U) {
    // Below 2^-14: adding 0.5 makes the unit of the last place 2^-24, binary16's own, and rounds to
    // it.
    half = f32_bits(f32_from_bits(magnitude) + 0.5F) - 0x3f000000U;
  } else {
    half = (magnitude - 0x38000000U + 0x0fffU + ((magnitude >> 13) & 1U)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

static inline float bf16_to_f32(uint16_t value) {
  return f32_from_bits(static_cast<uint32_t>(value) << 16);
}

// Rounds to nearest, ties to even; NaN stays NaN (made quiet).
static inline uint16_t f32_to_bf16(float value) {
  const uint32_t bits = f32_bits(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<uint16_t>((bits >> 16) | 0x0040U);
  return static_cast<uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

// GGUF is little-endian and packs f16 at odd offsets.
static inline uint16_t load_u16(const uint8_t* bytes) {
  return static_cast<uint16_t>(bytes[0] | (bytes[1] << 8));
}

static inline float load_f16(const uint8_t* bytes) {
  return f16_to_f32(load_u16(bytes));
}

}  // namespace twostroke

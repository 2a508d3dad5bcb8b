#include "quant/f16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace twostroke {
namespace {

// The meaning of the bits by the standard's words, with no bit of the code under test.
double f16_value(uint16_t half) {
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  const int exponent = (half >> 10) & 0x1f;
  const double mantissa = half & 0x3ff;
  if (exponent == 0x1f) {
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(F16, EveryValueToFloatAndBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = f16_to_f32(half);
    if (std::isnan(f16_value(half))) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_EQ(std::signbit(value), (bits & 0x8000) != 0) << bits;
      ASSERT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value)))) << bits;
      continue;
    }
    ASSERT_EQ(double{value}, f16_value(half)) << bits;
    ASSERT_EQ(std::signbit(value), (bits & 0x8000) != 0) << bits;
    ASSERT_EQ(f32_to_f16(value), half) << bits;
  }
}

// At every border between two neighbours: the midpoint goes to the even one, the floats beside it
// to the nearer one.
TEST(F16, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const auto below = static_cast<uint16_t>(bits);
    const auto above =
        static_cast<uint16_t>(bits + 1);  // the last one is infinity, whose border is at 65520
    const double upper = bits == 0x7bff ? 65536.0 : f16_value(above);
    const auto middle = static_cast<float>((f16_value(below) + upper) / 2);  // exact
    const uint16_t even = (bits & 1) == 0 ? below : above;
    ASSERT_EQ(f32_to_f16(middle), even) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0F)), below) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 1e9F)), above) << bits;
    ASSERT_EQ(f32_to_f16(-middle), even | 0x8000) << bits;
  }
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::max()), 0x7c00);
  EXPECT_EQ(f32_to_f16(-std::numeric_limits<float>::infinity()), 0xfc00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_TRUE(
      std::isnan(f16_to_f32(f32_to_f16(f32_from_bits(0x7f800001)))));  // lowest payload bit only
}

TEST(BF16, IsTheUpperHalfRoundedToNearestEven) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto value = static_cast<uint16_t>(bits);
    const float wide = bf16_to_f32(value);
    ASSERT_EQ(f32_bits(wide), bits << 16);
    if (std::isnan(wide)) {
      ASSERT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(wide)))) << bits;
      continue;
    }
    ASSERT_EQ(f32_to_bf16(wide), value);
    if (std::isinf(wide)) continue;
    const uint32_t middle = (bits << 16) | 0x8000;
    ASSERT_EQ(f32_to_bf16(f32_from_bits(middle)), (bits & 1) == 0 ? value : bits + 1);
    ASSERT_EQ(f32_to_bf16(f32_from_bits(middle - 1)), value);
    ASSERT_EQ(f32_to_bf16(f32_from_bits(middle + 1)), bits + 1);
  }
}

}  // namespace
}  // namespace twostroke

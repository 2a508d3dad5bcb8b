// Every ISA's row-wise kernels against the scalar reference bit for bit on awkward lengths, and the
// scalar reference against float64 and against the definition of IEEE half precision.
#include "kernels/vector_ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernel_test_util.h"

namespace twostroke {
namespace {

std::vector<float> normals(int n, uint32_t seed, float deviation = 1.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0.0F, deviation);
  std::vector<float> out(static_cast<size_t>(n));
  for (float& value : out) value = distribution(random);
  return out;
}

// Quantised rows in one buffer, comparable as a whole: what a kernel did not write stays zero.
struct Quantized {
  Quantized(int rows, int k) : groups(quant_groups(rows, k)), rows_view{groups.data(), k} {
    std::memset(static_cast<void*>(groups.data()), 0, groups.size() * sizeof(QuantGroup));
  }
  bool operator==(const Quantized& other) const {
    return std::memcmp(groups.data(), other.groups.data(), groups.size() * sizeof(QuantGroup)) == 0;
  }
  std::vector<QuantGroup> groups;
  QuantRows rows_view;
};

constexpr int kLengths[] = {1, 2, 7, 15, 16, 17, 31, 33, 63, 64, 65, 96, 127, 250, 576, 640, 1000};

double ulp(double value) {
  return std::ldexp(1.0, std::max(std::ilogb(static_cast<float>(value)), -126) - 23);
}

class VectorOpsTest : public testing::TestWithParam<IsaUnderTest> {
 protected:
  const VectorKernels& isa() const { return *GetParam().vector; }
  const VectorKernels& reference() const { return scalar::vector_kernels(); }
};

TEST_P(VectorOpsTest, RmsNormHasTheReferencesBits) {
  for (const int n : kLengths) {
    const auto x = normals(n, 1, 3.0F), weight = normals(n, 2);
    std::vector<float> a(x), b(x.size());
    isa().rms_norm(a.data(), weight.data(), n, 1e-5F, a.data());  // in place
    reference().rms_norm(x.data(), weight.data(), n, 1e-5F, b.data());
    EXPECT_EQ(first_difference(a, b), -1) << n;
  }
}

TEST_P(VectorOpsTest, RmsNormAgreesWithFloat64) {
  for (const int n : kLengths) {
    const auto x = normals(n, 3), weight = normals(n, 4);
    std::vector<float> y(x.size());
    isa().rms_norm(x.data(), weight.data(), n, 1e-6F, y.data());
    double squares = 0;
    for (const float value : x) squares += double{value} * value;
    const double inv_rms = 1 / std::sqrt(squares / n + 1e-6);
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = x[i] * inv_rms * weight[i];
      EXPECT_NEAR(y[i], expected, 1e-6 * std::abs(expected) + 1e-12) << n;
    }
  }
}

TEST_P(VectorOpsTest, QuantizedRowsHaveTheReferencesBits) {
  for (const int k : {32, 64, 96, 576, 640, 2048}) {
    const int rows = 11;
    Quantized a(rows, k), b(rows, k);
    for (int row = 0; row < rows; ++row) {
      auto x =
          normals(k, static_cast<uint32_t>(row + k), std::pow(10.0F, static_cast<float>(row - 5)));
      if (row == 7) std::fill_n(x.begin(), 32, 0.0F);
      if (row == 8) std::fill_n(x.begin(), 32, 1e-38F);
      if (row == 9) x[5] = 1e30F;
      const auto weight = normals(k, 99);
      for (int step = 0; step < 2; ++step) {
        const VectorKernels& kernels = step == 0 ? isa() : reference();
        const QuantRows& out = (step == 0 ? a : b).rows_view;
        switch (row % 4) {
          case 0:
            kernels.rms_norm_quantize(x.data(), weight.data(), k, 1e-5F, out, row);
            break;
          case 1:
            for (int c = 0; c < k; c += 32) kernels.quantize_row(x.data() + c, 32, out, row, c);
            break;
          case 2:
            kernels.silu_mul_quantize(x.data(), weight.data(), k, out, row, 0);
            break;
          default:
            kernels.gelu_tanh_mul_quantize(x.data(), weight.data(), k, out, row, 0);
            break;
        }
      }
    }
    EXPECT_TRUE(a == b) << k;
  }
}

// The definition in types.h, recomputed without sharing any code.
TEST_P(VectorOpsTest, QuantizationKeepsItsDefinition) {
  const int k = 256;
  auto x = normals(k, 5, 4.0F);
  std::fill_n(x.begin() + 64, 32, 0.0F);
  Quantized out(9, k);
  isa().quantize_row(x.data(), k, out.rows_view, 8, 0);
  for (int g = 0; g < k / kGroup; ++g) {
    const QuantGroup& group = quant_group(out.rows_view, 8, g);
    float absmax = 0;
    int code_sum[2] = {0, 0};
    for (int i = 0; i < kGroup; ++i) {
      absmax = std::max(absmax, std::abs(x[static_cast<size_t>(g * kGroup + i)]));
    }
    EXPECT_EQ(group.d[0], absmax / 127.0F);
    for (int i = 0; i < kGroup; ++i) {
      const float value = x[static_cast<size_t>(g * kGroup + i)];
      const double exact = absmax > 0 ? double{value} * 127 / absmax : 0;
      EXPECT_NEAR(group.q[0][i], exact, 0.5 + 1e-4);
      code_sum[i / 16] += group.q[0][i];
    }
    EXPECT_EQ(group.s[0], group.d[0] * static_cast<float>(code_sum[0] + code_sum[1]));
    EXPECT_EQ(group.bias[0], -128 * (code_sum[0] + code_sum[1]));
    EXPECT_EQ(group.bias16[0][0], -128 * code_sum[0]);
    EXPECT_EQ(group.bias16[1][0], -128 * code_sum[1]);
    for (int row = 1; row < kRowTile; ++row) EXPECT_EQ(group.d[row], 0.0F);  // others untouched
  }
}

TEST_P(VectorOpsTest, RmsNormQuantizeIsTheNormQuantized) {
  const int k = 576;
  const auto x = normals(k, 6, 20.0F), weight = normals(k, 7);
  std::vector<float> y(x.size());
  isa().rms_norm(x.data(), weight.data(), k, 1e-5F, y.data());
  Quantized out(1, k);
  isa().rms_norm_quantize(x.data(), weight.data(), k, 1e-5F, out.rows_view, 0);
  for (int i = 0; i < k; ++i) {
    const QuantGroup& group = quant_group(out.rows_view, 0, i / kGroup);
    EXPECT_NEAR(group.q[0][i % kGroup] * group.d[0], y[static_cast<size_t>(i)], 0.51 * group.d[0]);
  }
}

TEST_P(VectorOpsTest, RopeHasTheReferencesBitsAndRotates) {
  for (const int dim : {2, 6, 16, 30, 32, 64, 80, 96, 128, 256}) {
    const auto x = normals(dim, 8);
    std::vector<float> cos(static_cast<size_t>(dim / 2)), sin(cos.size());
    const auto angles = normals(dim / 2, 9, 3.0F);
    for (size_t i = 0; i < cos.size(); ++i) {
      cos[i] = std::cos(angles[i]);
      sin[i] = std::sin(angles[i]);
    }
    for (const bool neox : {false, true}) {
      std::vector<float> a(x), b(x);
      (neox ? isa().rope_neox : isa().rope_norm)(a.data(), cos.data(), sin.data(), dim);
      (neox ? reference().rope_neox : reference().rope_norm)(b.data(), cos.data(), sin.data(), dim);
      EXPECT_EQ(first_difference(a, b), -1) << dim << " neox " << neox;
      for (size_t i = 0; i < cos.size(); ++i) {
        const size_t first = neox ? i : 2 * i, second = neox ? i + cos.size() : 2 * i + 1;
        EXPECT_NEAR(a[first], double{x[first]} * cos[i] - double{x[second]} * sin[i], 1e-6);
        EXPECT_NEAR(a[second], double{x[first]} * sin[i] + double{x[second]} * cos[i], 1e-6);
      }
    }
  }
}

TEST_P(VectorOpsTest, ElementwiseKernelsHaveTheReferencesBits) {
  for (const int n : kLengths) {
    const auto x = normals(n, 10, 10.0F), y = normals(n, 11);
    std::vector<float> a[5], b[5];
    for (int step = 0; step < 2; ++step) {
      const VectorKernels& kernels = step == 0 ? isa() : reference();
      std::vector<float>* out = step == 0 ? a : b;
      for (int i = 0; i < 5; ++i) out[i] = x;
      kernels.silu_mul(x.data(), y.data(), n, out[0].data());
      kernels.gelu_tanh_mul(x.data(), y.data(), n, out[1].data());
      kernels.add(out[2].data(), y.data(), n);
      kernels.scale(out[3].data(), 1.7F, n);
      kernels.exp(x.data(), n, out[4].data());
      out[0].push_back(kernels.exp_sum(x.data(), n, 9.5F));
    }
    for (int i = 0; i < 5; ++i) EXPECT_EQ(first_difference(a[i], b[i]), -1) << n << " case " << i;
  }
}

// Every 211th float between the two limits, and the far ends.
TEST_P(VectorOpsTest, ExpIsWithinTwoUlp) {
  std::vector<float> x;
  for (uint32_t bits = 0; bits < 0x42B00000U; bits += 211) {  // 0 .. 88
    const float value = std::bit_cast<float>(bits);
    x.push_back(value);
    if (value <= 87.0F) x.push_back(-value);
  }
  std::vector<float> y(x.size());
  isa().exp(x.data(), static_cast<int>(x.size()), y.data());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = std::exp(double{x[i]});
    worst = std::max(worst, std::abs(y[i] - expected) / ulp(expected));
  }
  EXPECT_LE(worst, 2.0);
  EXPECT_GE(worst, 0.25);  // the measure itself is alive

  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> far = {-infinity, -1e30F, -150.0F, -87.5F, 89.0F, infinity, 0.0F, -0.0F};
  std::vector<float> out(far.size());
  isa().exp(far.data(), static_cast<int>(far.size()), out.data());
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(out[i], 0.0F) << far[i];
  for (size_t i = 4; i < 6; ++i) EXPECT_TRUE(std::isfinite(out[i]) && out[i] > 1e38F) << far[i];
  EXPECT_EQ(out[6], 1.0F);
  EXPECT_EQ(out[7], 1.0F);
}

TEST_P(VectorOpsTest, ActivationsAgreeWithFloat64) {
  std::vector<float> x;
  for (int i = -20000; i <= 20000; ++i) x.push_back(static_cast<float>(i) * 0.005F);
  const std::vector<float> ones(x.size(), 1.0F);
  std::vector<float> silu(x.size()), gelu(x.size());
  const int n = static_cast<int>(x.size());
  isa().silu_mul(x.data(), ones.data(), n, silu.data());
  isa().gelu_tanh_mul(x.data(), ones.data(), n, gelu.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double v = x[i];
    const double exact_silu = v / (1 + std::exp(-v));
    EXPECT_NEAR(silu[i], exact_silu, 4e-7 * std::abs(exact_silu) + 1e-35) << v;
    const double u = std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v);
    EXPECT_NEAR(gelu[i], 0.5 * v * (1 + std::tanh(u)), 1e-6 * std::abs(v) + 1e-12) << v;
  }
}

TEST_P(VectorOpsTest, ArgmaxTakesTheLowestIndex) {
  for (const int n : kLengths) {
    auto x = normals(n, 12);
    EXPECT_EQ(isa().argmax(x.data(), n), std::max_element(x.begin(), x.end()) - x.begin()) << n;
    for (int first = 0; first < n; first = 2 * first + 1) {
      auto y = x;
      for (int i = first; i < n; i += 5) y[static_cast<size_t>(i)] = 100.0F;
      EXPECT_EQ(isa().argmax(y.data(), n), first) << n;
    }
    std::fill(x.begin(), x.end(), -std::numeric_limits<float>::infinity());
    EXPECT_EQ(isa().argmax(x.data(), n), 0) << n;
  }
}

TEST_P(VectorOpsTest, ExpSumAgreesWithFloat64) {
  const auto x = normals(50000, 13, 4.0F);
  double expected = 0;
  for (const float value : x) expected += std::exp(double{value} - 12.0);
  EXPECT_NEAR(isa().exp_sum(x.data(), 50000, 12.0F), expected, 2e-6 * expected);
}

TEST_P(VectorOpsTest, HalfPrecisionRoundTrips) {
  std::vector<uint16_t> halves(65536), back(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> values(65536);
  isa().f16_to_f32(halves.data(), 65536, values.data());
  isa().f32_to_f16(values.data(), 65536, back.data());
  for (uint32_t i = 0; i < 65536; ++i) {
    const int exponent = static_cast<int>(i >> 10) & 31;
    const double mantissa = i & 1023;
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(values[i]), mantissa != 0) << i;
      EXPECT_EQ(back[i], mantissa != 0 ? i | 0x200U : i) << i;
      continue;
    }
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    EXPECT_EQ(values[i], (i & 0x8000U) != 0 ? -magnitude : magnitude) << i;
    EXPECT_EQ(back[i], i);
  }
}

// Halfway cases, overflow and subnormals: every f32 near a half's rounding boundary goes to the
// even neighbour.
TEST_P(VectorOpsTest, HalfPrecisionRoundsToNearestEven) {
  std::vector<float> values;
  for (uint32_t i = 0; i < 0x7C00U; i += 3) {
    float pair[2];
    const uint16_t halves[2] = {static_cast<uint16_t>(i), static_cast<uint16_t>(i + 1)};
    reference().f16_to_f32(halves, 2, pair);
    if (i + 1 == 0x7C00U) pair[1] = 65536.0F;
    const float middle = (pair[0] + pair[1]) / 2;
    values.insert(values.end(),
                  {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, 1e9F)});
  }
  values.insert(values.end(), {1e-9F, 1e-40F, 1e20F, 65519.996F, 65520.0F});
  for (size_t i = values.size(); i-- > 0;) values.push_back(-values[i]);
  const int n = static_cast<int>(values.size());
  std::vector<uint16_t> a(values.size()), b(values.size());
  isa().f32_to_f16(values.data(), n, a.data());
  reference().f32_to_f16(values.data(), n, b.data());
  EXPECT_EQ(a, b);
  for (uint32_t i = 0; i + 3 < 0x7C00U; i += 3) {
    const size_t at = i;  // three values per three halves
    EXPECT_EQ(a[at], i % 2 == 0 ? i : i + 1) << i;
    EXPECT_EQ(a[at + 1], i) << i;
    EXPECT_EQ(a[at + 2], i + 1) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, VectorOpsTest, testing::ValuesIn(isas_under_test()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace twostroke

#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/matmul_test_util.h"

namespace twostroke {
namespace {

struct Activations {
  std::vector<float> x;  // [rows, k]
  AlignedBytes memory;
  QuantRows quantized;
  int rows;
};

Activations quantize(std::vector<float> x, int rows, int k) {
  Activations a;
  a.memory = AlignedBytes(quant_groups(rows, k) * sizeof(QuantGroup));
  a.quantized = {reinterpret_cast<QuantGroup*>(a.memory.data()), k};
  a.rows = rows;
  for (int r = 0; r < rows; ++r) {
    scalar::vector_kernels().quantize_row(&x[static_cast<size_t>(r * k)], k, a.quantized, r, 0);
  }
  a.x = std::move(x);
  return a;
}

Activations random_activations(int rows, int k, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> x(static_cast<size_t>(rows * k));
  for (float& value : x) value = normal(random);
  return quantize(std::move(x), rows, k);
}

// Multiples of a power of two with one of magnitude 127 in each group: nothing is rounded.
Activations exact_activations(int rows, int k, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> x(static_cast<size_t>(rows * k));
  for (size_t i = 0; i < x.size(); ++i) {
    const int q = i % 32 == 5 ? 127 : static_cast<int>(random() % 255) - 127;
    x[i] = static_cast<float>(q) * ((i / 32) % 2 == 0 ? 0x1p-7F : 0x1p-5F);
  }
  return quantize(std::move(x), rows, k);
}

std::vector<float> multiply(const MatmulKernels& kernels, const PanelMatrix& w,
                            const Activations& a) {
  const int stride = num_panels(w.n) * kPanelRows;
  std::vector<float> y(static_cast<size_t>(a.rows * stride), -1.0F);
  kernels.quantized[w.type](w, 0, num_panels(w.n), a.quantized, 0, a.rows, y.data(), stride);
  return y;
}

std::vector<const QuantTraits*> integer_types() {
  std::vector<const QuantTraits*> types;
  for (const QuantTraits* traits : all_quant_traits()) {
    if (has_integer_path(traits->type, 256)) types.push_back(traits);
  }
  return types;
}

std::vector<int> awkward_k(const QuantTraits& traits) {
  if (traits.block_elements == 256) return {256, 768, 2048};
  return {32, 64, 576, 640, 1536};
}

TEST(Matmul, EveryIsaHasEveryIntegerType) {
  for (Isa isa : supported_isas()) {
    for (int type = 0; type < kMaxQuantTypes; ++type) {
      const bool expected =
          find_quant_traits(type) != nullptr && has_integer_path(static_cast<QuantType>(type), 256);
      EXPECT_EQ(kernels_for(isa).matmul.quantized[type] != nullptr, expected)
          << isa_name(isa) << " type " << type;
    }
  }
}

// The oracle is the quant room's dequantisation in double; the activations are exact, so what is
// left is the rounding of the f32 chain: at most three roundings a group of a partial sum whose
// terms are bounded by the sum of magnitudes.
TEST(Matmul, AgreesWithDoubleOfTheDequantisedWeights) {
  for (const QuantTraits* traits : integer_types()) {
    for (int k : awkward_k(*traits)) {
      const int n = 33;
      const int rows = 3;
      PackedTensor t = pack_tensor(traits->type, n, k, 11);
      Activations a = exact_activations(rows, k, 12);
      std::vector<float> w(static_cast<size_t>(n * k));
      traits->dequantize(t.file.data(), w.data(), n * k);
      const std::vector<float> y = multiply(scalar::matmul_kernels(), t.matrix, a);
      for (int r = 0; r < rows; ++r) {
        for (int i = 0; i < n; ++i) {
          double sum = 0;
          double magnitude = 0;
          for (int j = 0; j < k; ++j) {
            const double term = double{w[static_cast<size_t>(i * k + j)]} *
                                double{a.x[static_cast<size_t>(r * k + j)]};
            sum += term;
            magnitude += std::fabs(term);
          }
          // A minimum may cancel most of its code's part, and both were rounded at their size.
          const bool has_minimum = f16_offsets(traits->type).size() == 2;
          const double bound = (3.0 * k / 32 + 4) * 0x1p-24 * magnitude * (has_minimum ? 4.0 : 1.0);
          ASSERT_NEAR(double{y[static_cast<size_t>(r * 48 + i)]}, sum, bound)
              << traits->name << " k " << k << " row " << r << " output " << i;
        }
      }
    }
  }
}

// Law 1 across ISAs: the same bits as the specification.
TEST(Matmul, EveryIsaIsBitForBitScalar) {
  struct Shape {
    int n;
    int rows;
  };
  for (const QuantTraits* traits : integer_types()) {
    for (int k : awkward_k(*traits)) {
      for (const Shape& shape : {Shape{16, 33}, Shape{17, 12}, Shape{48, 7}, Shape{960, 1}}) {
        PackedTensor t = pack_tensor(traits->type, shape.n, k, 21);
        Activations a = random_activations(shape.rows, k, 22);
        const std::vector<float> expected = multiply(scalar::matmul_kernels(), t.matrix, a);
        for (Isa isa : supported_isas()) {
          const std::vector<float> y = multiply(kernels_for(isa).matmul, t.matrix, a);
          ASSERT_EQ(first_difference(y, expected), -1)
              << isa_name(isa) << " " << traits->name << " k " << k << " n " << shape.n << " rows "
              << shape.rows;
        }
      }
    }
  }
}

// Law 1 within an ISA: any range of rows and panels gives the bits of the whole, and writes nothing
// else.
TEST(Matmul, AnyRangeIsThatPartOfTheWhole) {
  constexpr int kRows = 64;
  constexpr int kN = 48;
  const float untouched = 12345.0F;
  for (Isa isa : supported_isas()) {
    const MatmulKernels& kernels = kernels_for(isa).matmul;
    for (const QuantTraits* traits : integer_types()) {
      const int k = 256;
      PackedTensor t = pack_tensor(traits->type, kN, k, 31);
      Activations a = random_activations(kRows, k, 32);
      const std::vector<float> whole = multiply(kernels, t.matrix, a);
      for (int begin = 0; begin < kRows; begin += begin < 18 ? 1 : 13) {
        for (int count : {1, 2, 3, 5, 8, 9, 16, 17, 33}) {
          const int end = std::min(kRows, begin + count);
          std::vector<float> y(whole.size(), untouched);
          kernels.quantized[t.matrix.type](t.matrix, 1, 2, a.quantized, begin, end, y.data(), kN);
          for (int i = 0; i < kRows * kN; ++i) {
            const bool inside = i / kN >= begin && i / kN < end && i % kN / kPanelRows == 1;
            const float expected = inside ? whole[static_cast<size_t>(i)] : untouched;
            ASSERT_EQ(y[static_cast<size_t>(i)], expected)
                << isa_name(isa) << " " << traits->name << " rows " << begin << " to " << end;
          }
        }
      }
    }
  }
}

// Extremes: all codes at their ends against activations at theirs, where 16-bit sums would
// overflow.
TEST(Matmul, SaturatesNowhere) {
  for (const QuantTraits* traits : integer_types()) {
    for (int pattern : {0x00, 0xff, 0x80, 0x7f}) {
      for (float sign : {1.0F, -1.0F}) {
        const int k = 256;
        PackedTensor t = pack_tensor(traits->type, 16, k, 41);
        std::vector<float> x(static_cast<size_t>(k), sign * 127.0F);
        Activations a = quantize(std::move(x), 1, k);
        // Codes lie anywhere but in the f16 constants, which pack_tensor set.
        const size_t block = static_cast<size_t>(traits->block_bytes);
        for (size_t i = 0; i < t.file.size(); ++i) {
          bool constant = traits->type == QuantType::kMXFP4 && i % block == 0;
          for (int offset : f16_offsets(traits->type)) {
            constant |= i % block / 2 * 2 == static_cast<size_t>(offset);
          }
          if (!constant) t.file[i] = static_cast<uint8_t>(pattern);
        }
        pack_panel(traits->type, 16, k, t.file.data(), 0, t.data.data());
        const std::vector<float> expected = multiply(scalar::matmul_kernels(), t.matrix, a);
        for (Isa isa : supported_isas()) {
          ASSERT_EQ(first_difference(multiply(kernels_for(isa).matmul, t.matrix, a), expected), -1)
              << isa_name(isa) << " " << traits->name << " pattern " << pattern;
        }
      }
    }
  }
}

// The exact path: every type, f32 activations, the same bits on every ISA and for any split.
TEST(MatmulExact, EveryTypeAgreesWithDoubleAndAcrossIsas) {
  for (const QuantTraits* traits : all_quant_traits()) {
    const int k = traits->block_elements == 1 ? 100 : traits->block_elements * 2;
    const int n = 20;
    const int rows = 11;
    SCOPED_TRACE(traits->name);
    PackedTensor t = pack_tensor(traits->type, n, k, 51);
    const std::vector<float> x = [&] {
      std::mt19937 random(52);
      std::normal_distribution<float> normal(0.0F, 1.0F);
      std::vector<float> values(static_cast<size_t>(rows * k));
      for (float& value : values) value = normal(random);
      return values;
    }();
    std::vector<float> w(static_cast<size_t>(n * k));
    traits->dequantize(t.file.data(), w.data(), n * k);
    AlignedBytes scratch(exact_scratch_bytes(t.matrix));
    std::vector<float> first;
    for (Isa isa : supported_isas()) {
      std::vector<float> y(static_cast<size_t>(rows * 32));
      matmul_exact(kernels_for(isa), t.matrix, 0, 2, x.data(), k, 0, rows - 2, y.data(), 32,
                   scratch.data());
      matmul_exact(kernels_for(isa), t.matrix, 0, 1, x.data(), k, rows - 2, rows, y.data(), 32,
                   scratch.data());
      matmul_exact(kernels_for(isa), t.matrix, 1, 2, x.data(), k, rows - 2, rows, y.data(), 32,
                   scratch.data());
      if (first.empty()) first = y;
      ASSERT_EQ(first_difference(y, first), -1) << isa_name(isa);
    }
    for (int i = 0; i < rows * n; ++i) {
      double sum = 0;
      double magnitude = 0;
      for (int j = 0; j < k; ++j) {
        const double term = double{x[static_cast<size_t>(i / n * k + j)]} *
                            double{w[static_cast<size_t>(i % n * k + j)]};
        sum += term;
        magnitude += std::fabs(term);
      }
      ASSERT_NEAR(double{first[static_cast<size_t>(i / n * 32 + i % n)]}, sum,
                  k * 0x1p-24 * magnitude);
    }
  }
}

TEST(Isa, NamesAreFoundOrExplained) {
  EXPECT_EQ(*isa_from_name("scalar"), Isa::kScalar);
  EXPECT_EQ(*isa_from_name("auto"), best_isa());
  EXPECT_EQ(kernels_for(best_isa()).isa, best_isa());
  const Result<Isa> unknown = isa_from_name("neon");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().field, "isa");
  EXPECT_NE(unknown.error().message.find("avx512_vnni"), std::string::npos);
}

}  // namespace
}  // namespace twostroke

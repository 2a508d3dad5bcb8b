#include "kernels/pack.h"

#include <gtest/gtest.h>

#include "kernels/file_fields.h"
#include "kernels/matmul_test_util.h"

namespace twostroke {
namespace {

// Law 6: a panel is a permutation of the file's bits, so every bit comes back.
TEST(Pack, EveryRowComesBackByteForByte) {
  for (const QuantTraits* traits : all_quant_traits()) {
    const int k = traits->block_elements * 3;
    const int n = 37;
    SCOPED_TRACE(traits->name);
    PackedTensor t = pack_tensor(traits->type, n, k, 7);
    const size_t row_bytes = static_cast<size_t>(traits->bytes_for(k));
    std::vector<uint8_t> row(row_bytes);
    for (int r = 0; r < n; ++r) {
      unpack_row(t.matrix, r, row.data());
      ASSERT_EQ(std::memcmp(row.data(), &t.file[row_bytes * static_cast<size_t>(r)], row_bytes), 0)
          << "row " << r;
    }
  }
}

TEST(Pack, RowsPastTheEndAreZeros) {
  for (const QuantTraits* traits : all_quant_traits()) {
    const int k = traits->block_elements * 2;
    SCOPED_TRACE(traits->name);
    PackedTensor t = pack_tensor(traits->type, 17, k, 8);
    std::vector<float> row(static_cast<size_t>(k), 1.0F);
    AlignedBytes scratch(row_scratch_bytes(t.matrix));
    for (int r = 17; r < 32; ++r) {
      dequantize_row(t.matrix, r, row.data(), scratch.data());
      for (float value : row) ASSERT_EQ(value, 0.0F);
    }
  }
}

TEST(Pack, DequantizesRowsAsTheFileDoes) {
  for (const QuantTraits* traits : all_quant_traits()) {
    const int k = traits->block_elements * 2;
    SCOPED_TRACE(traits->name);
    PackedTensor t = pack_tensor(traits->type, 20, k, 9);
    std::vector<float> expected(static_cast<size_t>(20 * k));
    traits->dequantize(t.file.data(), expected.data(), 20 * k);
    std::vector<float> row(static_cast<size_t>(k));
    AlignedBytes scratch(row_scratch_bytes(t.matrix));
    dequantize_row(t.matrix, 18, row.data(), scratch.data());
    EXPECT_EQ(
        std::memcmp(row.data(), &expected[static_cast<size_t>(18 * k)], row.size() * sizeof(float)),
        0);
  }
}

TEST(Pack, PanelsTakeTheFilesSpace) {
  EXPECT_EQ(panel_bytes(QuantType::kQ4_1, 576), 18U * 320);
  EXPECT_EQ(panel_bytes(QuantType::kQ8_0, 576), 18U * 544);
  EXPECT_EQ(panel_bytes(QuantType::kQ6_K, 2048), 8U * 16 * 210);
  EXPECT_EQ(panel_bytes(QuantType::kF16, 48), 16U * 96);
  EXPECT_TRUE(has_integer_path(QuantType::kQ4_K, 512));
  EXPECT_FALSE(has_integer_path(QuantType::kBF16, 512));
}

}  // namespace
}  // namespace twostroke

// Every type against floats that Python's gguf package computed (tests/golden/dequantize.golden,
// made by tests/golden/make_dequantize_golden.py). Larger random data is compared by
// tests/golden/compare_dequantize.py.
#include "quant/quant_type.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "quant/f16.h"

namespace twostroke {
namespace {

class GoldenFile {
 public:
  explicit GoldenFile(const std::string& path) : file_(path, std::ios::binary) {}

  bool good() const { return file_.good(); }
  template <typename T>
  std::vector<T> read(size_t count) {
    std::vector<T> values(count);
    file_.read(reinterpret_cast<char*>(values.data()),
               static_cast<std::streamsize>(count * sizeof(T)));
    return values;
  }
  int32_t read_int() { return read<int32_t>(1)[0]; }
  bool at_end() { return file_.peek() == std::ifstream::traits_type::eof(); }

 private:
  std::ifstream file_;
};

TEST(QuantType, DequantizesAsTheGgufPackageDoes) {
  GoldenFile golden("tests/golden/dequantize.golden");
  ASSERT_TRUE(golden.good()) << "run from the source folder";
  const std::vector<char> magic = golden.read<char>(8);
  ASSERT_EQ(std::string(magic.begin(), magic.end()), "TSQUANT1");
  const int32_t num_sections = golden.read_int();
  std::set<int> seen;
  for (int32_t section = 0; section < num_sections; ++section) {
    const int32_t type = golden.read_int();
    const auto num_bytes = static_cast<size_t>(golden.read_int());
    const auto num_elements = static_cast<size_t>(golden.read_int());
    const auto bytes = golden.read<uint8_t>(num_bytes);
    const auto expected = golden.read<float>(num_elements);
    ASSERT_TRUE(golden.good());
    const QuantTraits* traits = find_quant_traits(type);
    ASSERT_NE(traits, nullptr) << type;
    SCOPED_TRACE(traits->name);
    ASSERT_EQ(traits->bytes_for(static_cast<int64_t>(num_elements)),
              static_cast<int64_t>(num_bytes));
    std::vector<float> values(num_elements);
    traits->dequantize(bytes.data(), values.data(), static_cast<int64_t>(num_elements));
    for (size_t i = 0; i < num_elements; ++i) {
      ASSERT_EQ(f32_bits(values[i]), f32_bits(expected[i])) << "element " << i;
    }
    seen.insert(type);
  }
  EXPECT_TRUE(golden.at_end());
  EXPECT_EQ(seen.size(), all_quant_traits().size()) << "a type has no golden data";
}

TEST(QuantType, UsesGgmlsNumbersAndNames) {
  constexpr std::array<std::pair<int, const char*>, 16> kExpected = {{{0, "F32"},
                                                                      {1, "F16"},
                                                                      {2, "Q4_0"},
                                                                      {3, "Q4_1"},
                                                                      {6, "Q5_0"},
                                                                      {7, "Q5_1"},
                                                                      {8, "Q8_0"},
                                                                      {10, "Q2_K"},
                                                                      {11, "Q3_K"},
                                                                      {12, "Q4_K"},
                                                                      {13, "Q5_K"},
                                                                      {14, "Q6_K"},
                                                                      {20, "IQ4_NL"},
                                                                      {23, "IQ4_XS"},
                                                                      {30, "BF16"},
                                                                      {39, "MXFP4"}}};
  ASSERT_EQ(all_quant_traits().size(), kExpected.size());
  for (size_t i = 0; i < kExpected.size(); ++i) {
    const QuantTraits& traits = *all_quant_traits()[i];
    EXPECT_EQ(static_cast<int>(traits.type), kExpected[i].first);
    EXPECT_STREQ(traits.name, kExpected[i].second);
    EXPECT_EQ(&quant_traits(traits.type), &traits);
  }
  for (const int unknown : {-1, 4, 5, 9, 15, 16, 31, 40, 1000}) {
    EXPECT_EQ(find_quant_traits(unknown), nullptr) << unknown;
  }
}

TEST(QuantType, ReadsFromAnyAlignment) {
  for (const QuantTraits* traits : all_quant_traits()) {
    const auto block_bytes = static_cast<size_t>(traits->block_bytes);
    std::vector<uint8_t> bytes(block_bytes + 1);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 37 % 61);
    std::vector<float> odd(static_cast<size_t>(traits->block_elements));
    traits->dequantize(bytes.data() + 1, odd.data(), traits->block_elements);
    bytes.erase(bytes.begin());
    std::vector<float> even(odd.size());
    traits->dequantize(bytes.data(), even.data(), traits->block_elements);
    EXPECT_EQ(std::memcmp(odd.data(), even.data(), odd.size() * sizeof(float)), 0) << traits->name;
  }
}

TEST(QuantTypeDeathTest, PartOfABlockIsABug) {
  std::array<uint8_t, 34> block = {};
  std::array<float, 33> values = {};
  EXPECT_DEATH(quant_traits(QuantType::kQ8_0).dequantize(block.data(), values.data(), 33),
               "num_elements");
}

}  // namespace
}  // namespace twostroke

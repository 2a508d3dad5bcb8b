#include "testing/golden_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace twostroke {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GoldenFileTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  Result<GoldenFile> read(const std::string& magic, const std::vector<int32_t>& words) {
    std::ofstream file(path_, std::ios::binary);
    file << magic;
    file.write(reinterpret_cast<const char*>(words.data()),
               static_cast<std::streamsize>(words.size() * sizeof(int32_t)));
    file.close();
    return read_golden_file(path_);
  }
  std::string path_ =
      testing::TempDir() + "golden_file_test_" + std::to_string(getpid()) + ".golden";
};

TEST_F(GoldenFileTest, IsReadAsWritten) {
  constexpr int32_t kOne = 0x3f800000;  // 1.0F
  const Result<GoldenFile> golden = read("TSGOLD01", {2, 3, 40, 50, 0, kOne, 0, kOne, 0, 0});
  ASSERT_TRUE(golden.ok()) << golden.error().message;
  EXPECT_THAT(golden->tokens, ElementsAre(40, 50));
  EXPECT_THAT(golden->logits_after(0), ElementsAre(0, 1, 0));
  EXPECT_THAT(golden->logits_after(1), ElementsAre(1, 0, 0));
}

TEST_F(GoldenFileTest, RefusesWhatIsNotOne) {
  EXPECT_THAT(read("TSGOLD02", {1, 1, 0, 0}).error().message, HasSubstr("not a golden file"));
  EXPECT_THAT(read("TSGOLD01", {2, 3, 40, 50, 0}).error().message,
              HasSubstr("expected 48 bytes, found 28"));
  EXPECT_THAT(read("TSGOLD01", {-1, 3}).error().message, HasSubstr("expected tokens"));
}

}  // namespace
}  // namespace twostroke

// What the writer writes, the reader reads back: every kind of metadata, several tensors, split
// files.
#include "testing/gguf_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "gguf/gguf_file.h"
#include "quant/quant_type.h"

namespace twostroke {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

GgufWriter with_everything(uint32_t alignment) {
  GgufWriter writer(alignment);
  writer.add_u8("u8", 200);
  writer.add_i8("i8", -100);
  writer.add_u16("u16", 60000);
  writer.add_i16("i16", -30000);
  writer.add_u32("u32", 4000000000U);
  writer.add_i32("i32", -2000000000);
  writer.add_u64("u64", uint64_t{1} << 63);
  writer.add_i64("i64", -(int64_t{1} << 62));
  writer.add_f32("f32", 0.5F);
  writer.add_f64("f64", -0.25);
  writer.add_bool("yes", true);
  writer.add_bool("no", false);
  writer.add_string("text", "prefill");
  writer.add_strings("texts", std::array<std::string, 3>{"a", "", "ccc"});
  writer.add_floats("floats", std::array<float, 2>{1.5F, -2});
  writer.add_i32s("ints", std::array<int32_t, 3>{-1, 0, 7});
  writer.add_bools("bools", std::array<uint8_t, 2>{1, 0});
  writer.add_f32_tensor("one", std::array<int64_t, 1>{3}, std::array<float, 3>{1, 2, 3});
  writer.add_tensor("two", std::array<int64_t, 3>{2, 1, 32}, 8, std::array<uint8_t, 68>{9});
  return writer;
}

void expect_everything(const GgufFile& file) {
  EXPECT_EQ(file.find_u32("u8"), 200U);
  EXPECT_EQ(file.find_i64("i8"), -100);
  EXPECT_EQ(file.find_u32("u16"), 60000U);
  EXPECT_EQ(file.find_i64("i16"), -30000);
  EXPECT_EQ(file.find_u32("u32"), 4000000000U);
  EXPECT_EQ(file.find_i64("i32"), -2000000000);
  EXPECT_EQ(file.find_i64("u64"), std::nullopt);  // does not fit
  EXPECT_EQ(file.find_i64("i64"), -(int64_t{1} << 62));
  EXPECT_EQ(file.find_f32("f32"), 0.5F);
  EXPECT_EQ(file.find_f32("f64"), -0.25F);
  EXPECT_EQ(file.find_bool("yes"), true);
  EXPECT_EQ(file.find_bool("no"), false);
  EXPECT_EQ(file.find_string("text"), "prefill");
  EXPECT_THAT(file.get_strings("texts").value(), ElementsAre("a", "", "ccc"));
  EXPECT_THAT(file.get_floats("floats").value(), ElementsAre(1.5F, -2));
  EXPECT_THAT(file.get_ints("ints").value(), ElementsAre(-1, 0, 7));
  EXPECT_THAT(file.get_ints("bools").value(), ElementsAre(1, 0));
  const GgufTensor* one = file.find_tensor("one");
  ASSERT_NE(one, nullptr);
  std::array<float, 3> values = {};
  quant_traits(QuantType::kF32).dequantize(one->bytes.data(), values.data(), 3);
  EXPECT_THAT(values, ElementsAre(1, 2, 3));
  const GgufTensor* two = file.find_tensor("two");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->shape_text(), "[2, 1, 32]");
  EXPECT_EQ(two->num_rows(), 2);
  EXPECT_EQ(two->bytes.size(), 68U);
  EXPECT_EQ(two->bytes[0], 9);
}

TEST(GgufWriter, RoundTripsEveryKind) {
  for (const uint32_t alignment : {32U, 8U, 4096U}) {
    SCOPED_TRACE(alignment);
    const std::vector<uint8_t> bytes = with_everything(alignment).bytes();
    const Result<GgufFile> file = GgufFile::parse(bytes, "memory");
    ASSERT_TRUE(file.ok()) << file.error().message;
    expect_everything(*file);
    EXPECT_EQ(file->find_tensor("two")->offset % alignment, 0U);
    EXPECT_EQ(file->file_bytes(), bytes.size());
    EXPECT_EQ(file->tensor_bytes(), 12U + 68U);
  }
}

TEST(GgufWriter, WritesAFile) {
  const std::string path =
      testing::TempDir() + "gguf_writer_test_" + std::to_string(getpid()) + ".gguf";
  ASSERT_TRUE(with_everything(32).write(path).ok());
  Result<GgufFile> file = GgufFile::open(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const GgufFile moved = std::move(file).value();
  expect_everything(moved);
  moved.release_pages();
  expect_everything(moved);
  EXPECT_EQ(moved.fingerprint(), GgufFile::open(path)->fingerprint());
  EXPECT_EQ(moved.fingerprint().size(), 16U);
  std::filesystem::remove(path);
}

// Parts of one model in a folder of their own, removed at the end.
class SplitFiles : public testing::Test {
 protected:
  void SetUp() override {
    // ctest runs these side by side, each in a process of its own.
    folder_ = testing::TempDir() + "gguf_split_test_" + std::to_string(getpid());
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(int part, int count) const {
    std::array<char, 64> name;
    snprintf(name.data(), name.size(), "/m-%05d-of-%05d.gguf", part, count);
    return folder_ + name.data();
  }
  void write_part(const std::string& path, uint16_t number, uint16_t count, int32_t num_tensors,
                  std::string_view tensor) {
    GgufWriter writer;
    if (number == 0) writer.add_string("general.name", "split");
    writer.add_u16("split.no", number);
    writer.add_u16("split.count", count);
    writer.add_i32("split.tensors.count", num_tensors);
    const std::array<float, 1> value = {static_cast<float>(number)};
    writer.add_f32_tensor(tensor, std::array<int64_t, 1>{1}, value);
    ASSERT_TRUE(writer.write(path).ok());
  }

  std::string folder_;
};

TEST_F(SplitFiles, AreFoundFromTheFirst) {
  for (uint16_t part = 0; part < 3; ++part) {
    write_part(path(part + 1, 3), part, 3, 3, "t" + std::to_string(part));
  }
  const Result<GgufFile> file = GgufFile::open(path(1, 3));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->num_parts(), 3);
  EXPECT_EQ(file->tensors().size(), 3U);
  EXPECT_EQ(file->find_string("general.name"), "split");
  float value = 0;
  quant_traits(QuantType::kF32).dequantize(file->find_tensor("t2")->bytes.data(), &value, 1);
  EXPECT_EQ(value, 2);
  EXPECT_EQ(file->find_tensor("t2")->part, 2);
}

TEST_F(SplitFiles, SayWhatIsWrong) {
  const auto message = [](const std::string& path) {
    const Result<GgufFile> file = GgufFile::open(path);
    return file.ok() ? std::string("no error") : file.error().message;
  };
  write_part(path(1, 2), 0, 2, 2, "a");
  EXPECT_THAT(message(path(1, 2)), HasSubstr("m-00002-of-00002.gguf': No such file"));
  write_part(path(2, 2), 1, 2, 2, "a");
  EXPECT_THAT(message(path(1, 2)), HasSubstr("'a': expected every tensor once"));
  EXPECT_THAT(message(path(2, 2)), HasSubstr("expected the first part (0), found part 1"));
  write_part(path(2, 2), 0, 2, 2, "b");
  EXPECT_THAT(message(path(1, 2)), HasSubstr("expected part 1 of 2, found part 0 of 2"));
  write_part(path(2, 2), 1, 2, 3, "b");
  write_part(path(1, 2), 0, 2, 3, "a");
  EXPECT_THAT(message(path(1, 2)), HasSubstr("expected 3 tensors in 2 parts, found 2"));
  write_part(folder_ + "/other.gguf", 0, 2, 2, "a");
  EXPECT_THAT(message(folder_ + "/other.gguf"), HasSubstr("ends in '-00001-of-00002.gguf'"));
}

// gguf may not know quant, so each keeps a table of sizes.
TEST(GgufTypes, AgreeWithQuant) {
  for (const QuantTraits* traits : all_quant_traits()) {
    const GgmlTypeGeometry* geometry = find_ggml_type(static_cast<int>(traits->type));
    ASSERT_NE(geometry, nullptr) << traits->name;
    EXPECT_STREQ(geometry->name, traits->name);
    EXPECT_EQ(geometry->block_elements, traits->block_elements) << traits->name;
    EXPECT_EQ(geometry->block_bytes, traits->block_bytes) << traits->name;
  }
}

}  // namespace
}  // namespace twostroke

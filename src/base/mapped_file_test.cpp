#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace twostroke {
namespace {

std::string write_temporary(const std::string& name, const std::string& content) {
  const std::string path = testing::TempDir() + std::to_string(getpid()) + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(MappedFile, ShowsTheBytesOfTheFile) {
  const std::string path = write_temporary("mapped_file_test.bin", "two strokes");
  Result<MappedFile> file = MappedFile::open(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto bytes = file->bytes();
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "two strokes");
  file->will_need();
  file->release();
  EXPECT_EQ(file->bytes()[4], 's');  // released pages come back
  const MappedFile moved = std::move(*file);
  EXPECT_EQ(moved.bytes().size(), 11U);
  EXPECT_EQ(file->bytes().size(), 0U);
  std::remove(path.c_str());
}

TEST(MappedFile, AnEmptyFileIsAnEmptySpan) {
  const std::string path = write_temporary("mapped_file_empty.bin", "");
  const Result<MappedFile> file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->bytes().empty());
  std::remove(path.c_str());
}

TEST(MappedFile, SaysWhichFileAndWhy) {
  const Result<MappedFile> missing = MappedFile::open("/nowhere/model.gguf");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("'/nowhere/model.gguf'"));
  const Result<MappedFile> folder = MappedFile::open("/tmp");
  ASSERT_FALSE(folder.ok());
  EXPECT_THAT(folder.error().message, testing::HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace twostroke

// Files written byte by byte, because most of them are wrong on purpose: each says what, where,
// expected and found.
#include "gguf/gguf_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace twostroke {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint32_t kF32 = 0;
constexpr uint32_t kQ4_1 = 3;

class FileBytes {
 public:
  // Magic, version and the two counts, which need not be true.
  FileBytes(uint64_t num_tensors, uint64_t num_entries, uint32_t version = 3) {
    raw("GGUF").u32(version).u64(num_tensors).u64(num_entries);
  }
  FileBytes& raw(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  FileBytes& u32(uint32_t value) { return append(&value, sizeof(value)); }
  FileBytes& u64(uint64_t value) { return append(&value, sizeof(value)); }
  FileBytes& string(std::string_view text) { return u64(text.size()).raw(text); }
  FileBytes& key(std::string_view name, GgufValueType type) {
    return string(name).u32(static_cast<uint32_t>(type));
  }
  // `dims` in file order: innermost first.
  FileBytes& tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type,
                    uint64_t offset) {
    string(name).u32(static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) u64(dim);
    return u32(type).u64(offset);
  }
  FileBytes& pad(size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    return *this;
  }
  FileBytes& zeros(size_t count) {
    bytes_.resize(bytes_.size() + count);
    return *this;
  }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  FileBytes& append(const void* data, size_t count) {
    const auto* begin = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), begin, begin + count);
    return *this;
  }

  std::vector<uint8_t> bytes_;
};

std::string message_of(FileBytes& file) {
  const Result<GgufFile> parsed = GgufFile::parse(file.bytes(), "m.gguf");
  return parsed.ok() ? "no error" : parsed.error().message;
}

TEST(GgufFile, ReadsVersions2And3) {
  for (const uint32_t version : {2U, 3U}) {
    FileBytes file(1, 1, version);
    file.key("general.name", GgufValueType::kString).string("tiny");
    file.tensor("w", {32, 2, 3}, kQ4_1, 0).pad().zeros(6 * 20);
    const Result<GgufFile> parsed = GgufFile::parse(file.bytes(), "m.gguf");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->version(), version);
    EXPECT_EQ(parsed->get_string("general.name").value(), "tiny");
    const GgufTensor* tensor = parsed->find_tensor("w");
    ASSERT_NE(tensor, nullptr);
    EXPECT_THAT(tensor->shape(), ElementsAre(3, 2, 32));  // turned round
    EXPECT_EQ(tensor->num_columns(), 32);
    EXPECT_EQ(tensor->num_rows(), 6);
    EXPECT_EQ(tensor->bytes.size(), 120U);
    EXPECT_EQ(tensor->bytes.data(), file.bytes().data() + tensor->offset);
    EXPECT_EQ(parsed->get_tensor("w").value(), tensor);
    EXPECT_THAT(parsed->get_tensor("v").error().message,
                HasSubstr("m.gguf: expected a tensor 'v'"));
  }
}

TEST(GgufFile, NeedsNoTensorsAndNoMetadata) {
  FileBytes file(0, 0);
  EXPECT_EQ(message_of(file), "no error");
}

TEST(GgufFile, RefusesOtherFormats) {
  std::vector<uint8_t> other = {'G', 'G', 'M', 'L', 3, 0, 0, 0};
  EXPECT_EQ(GgufFile::parse(other, "m.gguf").error().message,
            "m.gguf: byte 0: expected the magic 'GGUF', found 47 47 4d 4c: not a GGUF file");
  EXPECT_THAT(GgufFile::parse({}, "m.gguf").error().message,
              HasSubstr("expected 4 bytes of magic, found 0"));
  FileBytes old(0, 0, 1);
  EXPECT_THAT(message_of(old), HasSubstr("byte 4: expected GGUF version 2 or 3, found 1"));
  FileBytes swapped(0, 0, 0x03000000);
  EXPECT_THAT(message_of(swapped), HasSubstr("expected a little-endian file, found a big-endian"));
}

// Whatever the length a file is cut to, it is an error and never a read past the end (which
// sanitizers would see).
TEST(GgufFile, EveryTruncationIsAnError) {
  FileBytes file(2, 3);
  file.key("a", GgufValueType::kUint32).u32(7);
  file.key("b", GgufValueType::kArray).u32(8).u64(2).string("x").string("yz");
  file.key("c", GgufValueType::kArray).u32(9).u64(1).u32(0).u64(3).raw("123");
  file.tensor("t", {4}, kF32, 0).tensor("u", {2, 2}, kF32, 32).pad().zeros(48);
  ASSERT_EQ(message_of(file), "no error");
  for (size_t length = 0; length < file.bytes().size(); ++length) {
    const std::vector<uint8_t> cut(file.bytes().begin(),
                                   file.bytes().begin() + static_cast<ptrdiff_t>(length));
    const Result<GgufFile> parsed = GgufFile::parse(cut, "m.gguf");
    ASSERT_FALSE(parsed.ok()) << length;
    ASSERT_THAT(parsed.error().message, HasSubstr("expected"));
  }
}

TEST(GgufFile, ChecksCountsAndLengthsAgainstTheFile) {
  constexpr uint64_t kHuge = ~uint64_t{0};
  FileBytes tensors(kHuge, 0);
  EXPECT_THAT(message_of(tensors), AllOf(HasSubstr("byte 8: expected a tensor count that fits"),
                                         HasSubstr("found 18446744073709551615")));
  FileBytes entries(0, kHuge);
  EXPECT_THAT(message_of(entries), HasSubstr("byte 16: expected a metadata count that fits"));
  FileBytes many(0, kMaxGgufKeys + 1);
  many.zeros(2 << 20);
  EXPECT_THAT(message_of(many), HasSubstr("expected a metadata count of at most 65536"));
  FileBytes key(0, 1);
  key.u64(kHuge).zeros(64);
  EXPECT_THAT(message_of(key), HasSubstr("byte 24: metadata entry '0': expected a length of key"));
  FileBytes long_key(0, 1);
  long_key.string(std::string(kMaxGgufNameBytes + 1, 'k')).zeros(64);
  EXPECT_THAT(message_of(long_key), HasSubstr("expected key of at most 65536 bytes, found 65537"));
  FileBytes text(0, 1);
  text.key("k", GgufValueType::kString).u64(kHuge).zeros(64);
  EXPECT_THAT(message_of(text), HasSubstr("byte 37: key 'k': expected a length of string"));
  FileBytes array(0, 1);
  array.key("k", GgufValueType::kArray).u32(4).u64((kHuge >> 2) + 2).zeros(64);  // * 4 overflows
  EXPECT_THAT(message_of(array), HasSubstr("key 'k': expected an array length that fits"));
}

TEST(GgufFile, ChecksTypesAndNesting) {
  FileBytes type(0, 1);
  type.string("k").u32(13).zeros(64);
  EXPECT_THAT(message_of(type), HasSubstr("key 'k': expected a value type from 0 to 12, found 13"));
  FileBytes element(0, 1);
  element.key("k", GgufValueType::kArray).u32(99).u64(0);
  EXPECT_THAT(message_of(element), HasSubstr("array element type from 0 to 12, found 99"));
  for (int depth = 1; depth < 7; ++depth) {
    FileBytes nested(0, 1);
    nested.key("k", GgufValueType::kArray);
    for (int i = 1; i < depth; ++i) nested.u32(9).u64(1);
    nested.u32(0).u64(0);
    EXPECT_THAT(message_of(nested), depth <= kMaxGgufArrayNesting
                                        ? HasSubstr("no error")
                                        : HasSubstr("arrays nested at most 4 deep"));
  }
}

TEST(GgufFile, RefusesDuplicates) {
  FileBytes keys(0, 2);
  keys.key("k", GgufValueType::kUint32).u32(1).key("k", GgufValueType::kUint32).u32(2);
  EXPECT_THAT(message_of(keys), HasSubstr("key 'k': expected every key once"));
  FileBytes tensors(2, 0);
  tensors.tensor("t", {1}, kF32, 0).tensor("t", {1}, kF32, 32).pad().zeros(64);
  EXPECT_THAT(message_of(tensors), HasSubstr("tensor 't': expected every tensor once"));
}

TEST(GgufFile, ChecksTensors) {
  const auto message = [](const std::vector<uint64_t>& dims, uint32_t type, uint64_t offset) {
    FileBytes file(1, 0);
    file.tensor("t", dims, type, offset).pad().zeros(256);
    return message_of(file);
  };
  EXPECT_EQ(message({32}, kQ4_1, 224), "no error");
  EXPECT_THAT(message({}, kF32, 0), HasSubstr("tensor 't': expected 1 to 4 dimensions, found 0"));
  EXPECT_THAT(message({1, 1, 1, 1, 1}, kF32, 0), HasSubstr("expected 1 to 4 dimensions, found 5"));
  EXPECT_THAT(message({4, 0}, kF32, 0), HasSubstr("expected a dimension of at least 1"));
  EXPECT_THAT(message({uint64_t{1} << 32, uint64_t{1} << 32}, kF32, 0),
              HasSubstr("less than 2^63"));
  EXPECT_THAT(message({uint64_t{1} << 62}, kF32, 0), HasSubstr("expected a tensor that fits"));
  EXPECT_THAT(message({16}, kQ4_1, 0), HasSubstr("a multiple of 32 elements for Q4_1, found [16]"));
  EXPECT_THAT(message({16, 2}, kQ4_1, 0), HasSubstr("found [2, 16]"));
  EXPECT_THAT(message({32}, 4, 0), HasSubstr("expected a known tensor type, found type 4"));
  EXPECT_THAT(message({32}, 0xffffffff, 0), HasSubstr("found type 4294967295"));
  EXPECT_THAT(message({4}, kF32, 8), HasSubstr("a multiple of 32, found 8"));
  EXPECT_THAT(message({32}, kQ4_1, 256),
              HasSubstr("found only 256 bytes of data: the file is cut"));
  EXPECT_THAT(message({4}, kF32, ~uint64_t{31}), HasSubstr("the file is cut short"));
}

TEST(GgufFile, RefusesOverlap) {
  FileBytes file(2, 0);
  file.tensor("b", {16}, kF32, 32).tensor("a", {16}, kF32, 0).pad().zeros(96);
  EXPECT_THAT(message_of(file), HasSubstr("tensor 'b': expected data of its own, found it inside "
                                          "tensor 'a'"));
}

TEST(GgufFile, HonoursAlignment) {
  const auto message = [](uint32_t alignment, uint64_t offset) {
    FileBytes file(1, 1);
    file.key("general.alignment", GgufValueType::kUint32).u32(alignment);
    file.tensor("t", {4}, kF32, offset).pad(64).zeros(128);
    return message_of(file);
  };
  EXPECT_EQ(message(64, 64), "no error");
  EXPECT_EQ(message(8, 24), "no error");
  EXPECT_THAT(message(64, 32), HasSubstr("a multiple of 64, found 32"));
  EXPECT_THAT(message(0, 0), HasSubstr("key 'general.alignment': expected a uint32 power of two"));
  EXPECT_THAT(message(48, 0), HasSubstr("found uint32 48"));
  EXPECT_THAT(message(1U << 31, 0), HasSubstr("of at most 1048576"));
  FileBytes text(0, 1);
  text.key("general.alignment", GgufValueType::kString).string("32");
  EXPECT_THAT(message_of(text), HasSubstr("found string '32'"));
}

TEST(GgufFile, SplitFilesCannotBeReadFromMemory) {
  FileBytes file(0, 1);
  file.key("split.count", GgufValueType::kUint16).raw(std::string_view("\x03\0", 2));
  EXPECT_THAT(message_of(file), HasSubstr("found a split one of 3 parts"));
}

TEST(GgufFile, TypedAccessNamesKeyExpectedAndFound) {
  FileBytes file(0, 4);
  file.key("text", GgufValueType::kString).string("two\nlines\x1b[31m");
  file.key("minus", GgufValueType::kInt32).u32(~0U);
  file.key("list", GgufValueType::kArray).u32(4).u64(3).u32(1).u32(2).u32(3);
  file.key("number", GgufValueType::kUint32).u32(7);
  const Result<GgufFile> parsed = GgufFile::parse(file.bytes(), "m.gguf");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->get_u32("absent").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(parsed->get_u32("absent").error().message,
            "m.gguf: key 'absent': expected an unsigned 32-bit integer, found no such key");
  EXPECT_EQ(parsed->get_u32("text").error().message,
            "m.gguf: key 'text': expected an unsigned 32-bit integer, found string "
            "'two\\nlines\\x1b[31m'");
  EXPECT_EQ(parsed->get_u32("text").error().field, "text");
  EXPECT_THAT(parsed->get_u32("minus").error().message, HasSubstr("found int32 -1"));
  EXPECT_EQ(parsed->get_i64("minus").value(), -1);
  EXPECT_THAT(parsed->get_strings("list").error().message,
              HasSubstr("expected an array of strings, found array of uint32 [1, 2, 3]"));
  EXPECT_FALSE(parsed->get_f32("number").ok());
  EXPECT_FALSE(parsed->get_floats("list").ok());
  EXPECT_FALSE(parsed->get_bool("number").ok());
  EXPECT_EQ(parsed->get_u32_or("absent", 5).value(), 5U);
  EXPECT_EQ(parsed->get_u32_or("number", 5).value(), 7U);
  EXPECT_FALSE(parsed->get_string_or("number", "x").ok());
  EXPECT_EQ(parsed->find_u32("text"), std::nullopt);
  EXPECT_EQ(gguf_value_text(*parsed->find("list"), 2), "[1, 2, … 3 in all]");
}

TEST(GgufFile, FingerprintFollowsMetadataAndSize) {
  const auto fingerprint = [](uint32_t value, size_t num_bytes) {
    FileBytes file(0, 1);
    file.key("k", GgufValueType::kUint32).u32(value).zeros(num_bytes);
    return GgufFile::parse(file.bytes(), "m.gguf")->fingerprint();
  };
  EXPECT_EQ(fingerprint(1, 0), fingerprint(1, 0));
  EXPECT_NE(fingerprint(1, 0), fingerprint(2, 0));
  EXPECT_NE(fingerprint(1, 0), fingerprint(1, 1));
}

}  // namespace
}  // namespace twostroke

// Every profile of the table compiles, covers its text, and takes linear time where a careless
// pattern would not.
#include "tokenizer/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tokenizer/utf8.h"

namespace twostroke {
namespace {

std::vector<std::string> words(std::string_view name, std::string_view text) {
  const PreTokenizerProfile* profile = find_pre_tokenizer(name);
  CHECK(profile != nullptr);
  const auto splitter = PreTokenizer::create(*profile);
  CHECK(splitter.ok());
  PreTokenizer::Scratch scratch;
  std::vector<size_t> ends;
  splitter->split(text, scratch, ends);
  std::vector<std::string> pieces;
  size_t begin = 0;
  for (const size_t end : ends) {
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  CHECK_EQ(begin, text.size());
  return pieces;
}

using Words = std::vector<std::string>;

TEST(PreTokenizer, Gpt2) {
  EXPECT_EQ(words("gpt-2", "I'm  here,\n\n now42"),
            (Words{"I", "'m", " ", " here", ",", "\n\n", " now", "42"}));
}

TEST(PreTokenizer, Llama3GroupsDigitsFromTheLeft) {
  EXPECT_EQ(words("llama-bpe", "12345 I'M"), (Words{"123", "45", " I", "'M"}));
}

TEST(PreTokenizer, QwenAndSmollmTakeDigitsOneByOne) {
  EXPECT_EQ(words("qwen2", "a 12"), (Words{"a", " ", "1", "2"}));
  EXPECT_EQ(words("smollm", "a 12"), (Words{"a", " ", "1", "2"}));
}

TEST(PreTokenizer, CaseBeginsAWordInGpt4oAndTekken) {
  EXPECT_EQ(words("gpt-4o", "HTTPServer it's"), (Words{"HTTPServer", " it's"}));
  EXPECT_EQ(words("tekken", "fooBar"), (Words{"foo", "Bar"}));
}

TEST(PreTokenizer, DigitGroupsFromTheRight) {
  EXPECT_EQ(words("afmoe", "1234567"), (Words{"1", "234", "567"}));
  EXPECT_EQ(words("superbpe", "a 12345678 b"), (Words{"a ", "12", "345", "678", " b"}));
  EXPECT_EQ(words("tiny_aya", "1234 12345a"), (Words{"1", "234", " ", "123", "45", "a"}));
}

TEST(PreTokenizer, MongolianVowelSeparatorIsNoWhiteSpace) {
  EXPECT_EQ(words("gpt-2",
                  "a \xE1\xA0\x8E"
                  "b"),
            (Words{"a", " \xE1\xA0\x8E", "b"}));
}

TEST(PreTokenizer, EmptyText) {
  EXPECT_TRUE(words("gpt-2", "").empty());
}

TEST(PreTokenizerTable, NamesAreDistinctAndListed) {
  std::vector<std::string_view> seen;
  for (const PreTokenizerProfile& profile : all_pre_tokenizers()) {
    for (const std::string_view name : profile.names) {
      EXPECT_EQ(std::count(seen.begin(), seen.end(), name), 0) << name;
      seen.push_back(name);
      EXPECT_EQ(find_pre_tokenizer(name), &profile);
      EXPECT_NE(known_pre_tokenizers().find(name), std::string::npos);
    }
  }
  EXPECT_EQ(find_pre_tokenizer("bert-bge"), nullptr);
}

std::string repeat(std::string_view text, size_t bytes) {
  std::string long_text;
  while (long_text.size() < bytes) long_text += text;
  return long_text;
}

// A quadratic pattern would need 10^10 steps here, an exponential one would hit the match limit and
// leave one piece; both show as a test that never ends or a wrong cover.
TEST(PreTokenizerTable, LongRunsStayLinear) {
  const std::vector<std::string> runs = {
      repeat("a", 200'000),
      repeat("A", 200'000),
      repeat("1", 200'000),
      repeat(" ", 200'000),
      repeat("\n", 200'000),
      repeat(" \n", 200'000),
      repeat(".", 200'000),
      repeat("a b ", 200'000),
      repeat("'", 200'000),
      repeat("\xCC\x81", 200'000),
      repeat("aA", 200'000),
      repeat("\xE4\xBD\xA0", 200'000),
      repeat("1", 200'000) + "a",
      repeat(" ", 200'000) + "a",
      repeat("\xE4\xBD\xA0"
             "A",
             200'000),
  };
  for (const PreTokenizerProfile& profile : all_pre_tokenizers()) {
    const auto splitter = PreTokenizer::create(profile);
    ASSERT_TRUE(splitter.ok()) << splitter.error().message;
    PreTokenizer::Scratch scratch;
    std::vector<size_t> ends;
    for (const std::string& run : runs) {
      splitter->split(run, scratch, ends);
      ASSERT_EQ(ends.back(), run.size()) << profile.names[0];
      ASSERT_TRUE(std::is_sorted(ends.begin(), ends.end()));
      EXPECT_FALSE(scratch.regex.hit_limit()) << profile.names[0] << ": " << run.substr(0, 8);
    }
  }
}

}  // namespace
}  // namespace twostroke

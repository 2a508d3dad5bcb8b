// UTF-8 by the book: table 3-7 of the Unicode standard.
#include "tokenizer/utf8.h"

#include <gtest/gtest.h>

#include "tokenizer/byte_alphabet.h"

namespace twostroke {
namespace {

TEST(Utf8, Valid) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("plain ascii, longer than a word"));
  EXPECT_TRUE(is_valid_utf8(
      "\xC2\x80 \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
}

TEST(Utf8, Invalid) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\xA6"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << text;
  }
}

TEST(Utf8, RepairsByByteAndBySubpart) {
  const std::string fffd(kReplacement);
  EXPECT_EQ(replace_invalid_bytes("a\xE2\x82z"), "a" + fffd + fffd + "z");
  EXPECT_EQ(replace_invalid_subparts("a\xE2\x82z"), "a" + fffd + "z");
  // The standard's own example (section 3.9, table 3-8).
  EXPECT_EQ(replace_invalid_subparts("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            fffd + fffd + fffd + fffd + fffd + fffd + fffd + fffd + "A");
  EXPECT_EQ(replace_invalid_subparts("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
            fffd + fffd + fffd + fffd + "A");
}

TEST(ByteAlphabet, IsABijection) {
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  std::string letters;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string_view letter = alphabet.letter(static_cast<uint8_t>(byte));
    EXPECT_TRUE(is_valid_utf8(letter));
    EXPECT_EQ(alphabet.decode(letter), std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(alphabet.letter(' '), "\xC4\xA0");
  EXPECT_EQ(alphabet.letter('\n'), "\xC4\x8A");
  EXPECT_FALSE(alphabet.decode("\xE4\xBD\xA0").has_value());
  EXPECT_FALSE(alphabet.decode(" ").has_value());
  EXPECT_FALSE(alphabet.decode("\xC4").has_value());
}

}  // namespace
}  // namespace twostroke

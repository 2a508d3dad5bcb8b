// Streaming: whole code points only, whatever the tokens cut.
#include "tokenizer/detokenizer.h"

#include <gtest/gtest.h>

#include <random>

#include "tokenizer/test_vocabularies.h"
#include "tokenizer/utf8.h"

namespace twostroke {
namespace {

constexpr char kEuro[] = "\xE2\x82\xAC";
constexpr char kLlama[] = "\xF0\x9F\xA6\x99";
constexpr char kFffd[] = "\xEF\xBF\xBD";

std::string push_all(Detokenizer& stream, std::initializer_list<TokenId> tokens) {
  std::string text;
  for (const TokenId token : tokens) text += stream.push(token);
  return text;
}

std::vector<std::string> stream_bytes(const Tokenizer& tokenizer, std::string_view bytes) {
  Detokenizer stream(tokenizer);
  std::vector<std::string> pieces;
  for (const char byte : bytes) pieces.push_back(stream.push(static_cast<uint8_t>(byte)));
  pieces.push_back(stream.flush());
  return pieces;
}

TEST(Detokenizer, HoldsBackUntilTheCodePointIsWhole) {
  const auto tokenizer = testing_vocabularies::byte_level().build();
  EXPECT_EQ(stream_bytes(*tokenizer, std::string("a") + kEuro),
            (std::vector<std::string>{"a", "", "", kEuro, ""}));
  EXPECT_EQ(stream_bytes(*tokenizer, kLlama), (std::vector<std::string>{"", "", "", kLlama, ""}));
}

TEST(Detokenizer, ADanglingPartIsOneReplacementCharacter) {
  const auto tokenizer = testing_vocabularies::byte_level().build();
  EXPECT_EQ(stream_bytes(*tokenizer, "\xF0\x9F\xA6"),
            (std::vector<std::string>{"", "", "", kFffd}));
  EXPECT_EQ(stream_bytes(*tokenizer,
                         "\xE2\x82"
                         "a"),
            (std::vector<std::string>{"", "", std::string(kFffd) + "a", ""}));
  // No second byte of a code point can follow ED but 80 to 9F: what is known to be broken is not
  // held back.
  EXPECT_EQ(stream_bytes(*tokenizer, "\xED\xA0"),
            (std::vector<std::string>{"", std::string(kFffd) + kFffd, ""}));
}

TEST(Detokenizer, SpecialTokensGiveNoTextUnlessAsked) {
  auto made = testing_vocabularies::byte_level();
  const TokenId end = made.add("<|im_end|>", TokenType::kControl);
  const auto tokenizer = made.build();
  Detokenizer quiet(*tokenizer);
  EXPECT_EQ(push_all(quiet, {'a', end, 'b'}), "ab");
  Detokenizer full(*tokenizer, {.skip_special = false});
  EXPECT_EQ(push_all(full, {'a', end}), "a<|im_end|>");
}

TEST(Detokenizer, StripsTheSpacePrefixOnce) {
  auto made = testing_vocabularies::sentence_piece();
  const TokenId word = made.add(
      "\xE2\x96\x81"
      "a");
  const auto tokenizer = made.build();
  Detokenizer stream(*tokenizer, {.strip_space_prefix = true});
  EXPECT_EQ(push_all(stream, {1, word, word}), "a a");
  Detokenizer middle(*tokenizer);
  EXPECT_EQ(middle.push(word), " a");
}

// Any bytes in any cut: every piece is valid, and together they are what decode() says.
TEST(Detokenizer, RandomBytesAgreeWithDecode) {
  const auto tokenizer = testing_vocabularies::byte_level().build();
  std::mt19937 random(7);
  const std::string_view interesting =
      "\xE2\x82\xAC\xF0\x9F\xA6\x99\xED\xA0\xC3\xC0\xFF\x80"
      "az";
  for (int round = 0; round < 5000; ++round) {
    std::vector<TokenId> tokens;
    for (size_t i = random() % 12; i > 0; --i) {
      tokens.push_back(static_cast<uint8_t>(interesting[random() % interesting.size()]));
    }
    Detokenizer stream(*tokenizer);
    std::string streamed;
    for (const TokenId token : tokens) {
      const std::string piece = stream.push(token);
      ASSERT_TRUE(is_valid_utf8(piece));
      streamed += piece;
    }
    streamed += stream.flush();
    ASSERT_EQ(streamed, tokenizer->decode(tokens));
  }
}

}  // namespace
}  // namespace twostroke

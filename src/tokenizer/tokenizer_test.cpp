// Tokenizer on vocabularies small enough to check by eye.
#include "tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tokenizer/test_vocabularies.h"

namespace twostroke {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_vocabularies::byte_level;
using testing_vocabularies::HandMade;
using testing_vocabularies::sentence_piece;

TEST(ByteLevelBpe, BestRankFirstThenLeftmost) {
  HandMade made = byte_level();
  const TokenId bc = made.merge("b", "c");
  const TokenId ab = made.merge("a", "b");
  const TokenId aa = made.merge("a", "a");
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("abc"), ElementsAre('a', bc));
  EXPECT_THAT(tokenizer->encode("aab"), ElementsAre('a', ab));
  EXPECT_THAT(tokenizer->encode("aaa"), ElementsAre(aa, 'a'));
  EXPECT_THAT(tokenizer->encode("abcabc"), ElementsAre('a', bc, 'a', bc));
  EXPECT_TRUE(tokenizer->encode("").empty());
}

TEST(ByteLevelBpe, MergesThroughTextsThatAreNoTokens) {
  HandMade made = byte_level();
  // "xy" is no token, but "xyz" is built from it; alone it falls back to the letters.
  static const std::string kXy = "x y";
  made.data.merges.push_back(kXy);
  const TokenId xyz = made.merge("xy", "z");
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("xyz"), ElementsAre(xyz));
  EXPECT_THAT(tokenizer->encode("xyw"), ElementsAre('x', 'y', 'w'));
}

TEST(ByteLevelBpe, EveryBrokenByteIsOneReplacementCharacter) {
  HandMade made = byte_level();
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("\x80"), ElementsAre(0xEF, 0xBF, 0xBD));
  EXPECT_THAT(tokenizer->encode("\xE2\x82"), ElementsAre(0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("a\xFFz")), "a\xEF\xBF\xBDz");
}

TEST(ByteLevelBpe, IgnoreMergesTakesWholeWords) {
  HandMade made = byte_level();
  made.data.pre = "llama-bpe";
  const TokenId ab = made.merge("a", "b");
  const TokenId cabs = made.add("cabs");  // no merges lead there
  made.add("cabc", TokenType::kControl);  // never out of plain text
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("cabs"), ElementsAre(cabs));
  EXPECT_THAT(tokenizer->encode("cabc"), ElementsAre('c', ab, 'c'));
}

TEST(SpecialTokens, ControlOnlyWhenAskedUserDefinedAlways) {
  HandMade made = byte_level();
  const TokenId end = made.add("<|im_end|>", TokenType::kControl);
  const TokenId tool = made.add("<tool>", TokenType::kUserDefined);
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("a<tool>b"), ElementsAre('a', tool, 'b'));
  EXPECT_EQ(tokenizer->encode("<|im_end|>").size(), 10U);
  EXPECT_THAT(tokenizer->encode("a<|im_end|>", {.parse_special = true}), ElementsAre('a', end));
  EXPECT_EQ(tokenizer->token_to_piece(end, false), "");
  EXPECT_EQ(tokenizer->token_to_piece(end, true), "<|im_end|>");
  EXPECT_EQ(tokenizer->token_to_piece(tool, false), "<tool>");
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{'a', end, 'b'}, {.skip_special = true}), "ab");
}

TEST(SpecialTokens, LongestAnywhereBeforeLeftmost) {
  HandMade made = byte_level();
  const TokenId shorter = made.add("<a", TokenType::kUserDefined);
  const TokenId longer = made.add("a>>", TokenType::kUserDefined);
  const TokenId x = made.add("x", TokenType::kUserDefined);
  const TokenId xx = made.add("xx", TokenType::kUserDefined);
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("<a>>"), ElementsAre('<', longer));
  EXPECT_THAT(tokenizer->encode("<a>"), ElementsAre(shorter, '>'));
  EXPECT_THAT(tokenizer->encode("xxxxx"), ElementsAre(xx, xx, x));
}

TEST(SpecialTokens, Phi3TokensSwallowTheWhiteSpaceAfterThem) {
  HandMade made = sentence_piece();
  made.data.model_name = "Phi-3 mini";
  made.data.add_space_prefix = false;
  const TokenId user = made.add("<|user|>", TokenType::kControl);
  const TokenId a = made.add("a");
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("<|user|> \n a", {.parse_special = true}), ElementsAre(user, a));
  // <s> is an exception of theirs; the space becomes U+2581 in three byte tokens.
  EXPECT_THAT(tokenizer->encode("<s> a", {.parse_special = true}),
              ElementsAre(1, 3 + 0xE2, 3 + 0x96, 3 + 0x81, a));
}

TEST(SpecialTokens, BosAndEosWhereTheModelWantsThem) {
  HandMade made = byte_level();
  made.data.bos_id = made.add("<bos>", TokenType::kControl);
  made.data.eos_id = made.add("<eos>", TokenType::kControl);
  made.data.add_bos = true;
  made.data.add_eos = true;
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("a", {.add_special = true}), ElementsAre(256, 'a', 257));
  EXPECT_THAT(tokenizer->encode("", {.add_special = true}), ElementsAre(256, 257));
  EXPECT_THAT(tokenizer->encode("a"), ElementsAre('a'));
}

TEST(SpecialTokens, WhatEndsAGeneration) {
  HandMade made = byte_level();
  made.data.eos_id = made.add("<final>");
  const TokenId end_of_turn =
      made.add("<|im_end|>");  // "normal" in the file: a mistake that is put right
  const TokenId end_of_text = made.add("<|endoftext|>", TokenType::kControl);
  made.add("<|im_start|>", TokenType::kControl);
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->end_of_generation_ids(),
              ElementsAre(made.data.eos_id, end_of_turn, end_of_text));
  EXPECT_EQ(tokenizer->eot_id(), end_of_turn);
  EXPECT_TRUE(tokenizer->is_control(end_of_turn));
  EXPECT_FALSE(tokenizer->is_control('a'));
}

TEST(SpecialTokens, HarmonyEndDoesNotEndAGeneration) {
  HandMade made = byte_level();
  const TokenId end = made.add("<|end|>", TokenType::kControl);
  const TokenId ret = made.add("<|return|>", TokenType::kControl);
  const TokenId call = made.add("<|call|>", TokenType::kControl);
  const TokenId channel = made.add("<|channel|>", TokenType::kControl);
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->end_of_generation_ids(), ElementsAre(ret, call));
  EXPECT_EQ(tokenizer->token_to_piece(end, false), "<|end|>");
  EXPECT_EQ(tokenizer->token_to_piece(channel, false), "<|channel|>");
}

TEST(SentencePiece, BestScoreFirstAndBytesForTheRest) {
  HandMade made = sentence_piece();
  const TokenId space = made.add("\xE2\x96\x81", TokenType::kNormal, -10);
  const TokenId a = made.add("a", TokenType::kNormal, -11);
  const TokenId b = made.add("b", TokenType::kNormal, -12);
  const TokenId ab = made.add("ab", TokenType::kNormal, -3);
  const TokenId space_a = made.add(
      "\xE2\x96\x81"
      "a",
      TokenType::kNormal, -2);
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("ab"), ElementsAre(space_a, b));
  EXPECT_THAT(tokenizer->encode("bab"), ElementsAre(space, b, ab));
  EXPECT_THAT(tokenizer->encode("a", {.add_special = true}), ElementsAre(1, space_a));
  EXPECT_THAT(tokenizer->encode("\xC3\xA9"), ElementsAre(space, 3 + 0xC3, 3 + 0xA9));
  EXPECT_THAT(tokenizer->encode("a\xFF"), ElementsAre(space_a, 3 + 0xFF));
  EXPECT_EQ(
      tokenizer->decode(tokenizer->encode(" b a", {.add_special = true}), {.skip_special = true}),
      " b a");
  EXPECT_THAT(tokenizer->encode("</s>a", {.parse_special = true}), ElementsAre(2, space_a));
  EXPECT_THAT(tokenizer->encode("a"), ElementsAre(space_a)) << a;
}

TEST(SentencePiece, TextNeverBecomesAControlToken) {
  HandMade made = sentence_piece();
  made.data.add_space_prefix = false;
  for (const char* part : {"<", "s", ">", "<s", "s>"}) made.add(part, TokenType::kNormal, -1);
  const auto tokenizer = made.build();
  for (const TokenId token : tokenizer->encode("<s>")) EXPECT_FALSE(tokenizer->is_control(token));
}

TEST(SentencePiece, WithoutByteTokensUnknownIsOneToken) {
  HandMade made;
  made.data.kind = TokenizerKind::kSentencePiece;
  made.data.unk_id = made.add("<unk>", TokenType::kUnknown);
  const TokenId a = made.add("a");
  const auto tokenizer = made.build();
  EXPECT_THAT(tokenizer->encode("a\xC3\xA9"), ElementsAre(a, 0));
}

TEST(TokenizerErrors, NameTheKeyAndTheValue) {
  HandMade made = byte_level();
  made.data.pre = "from-the-future";
  auto result = Tokenizer::create(made.data);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(result.error().field, "tokenizer.ggml.pre");
  EXPECT_THAT(result.error().message, HasSubstr("'from-the-future'"));
  EXPECT_THAT(result.error().message, HasSubstr("llama-bpe"));

  made = byte_level();
  made.data.eos_id = 1000;
  EXPECT_THAT(Tokenizer::create(made.data).error().message, HasSubstr("eos_token_id is 1000"));

  made = byte_level();
  made.data.add_bos = true;
  EXPECT_THAT(Tokenizer::create(made.data).error().message, HasSubstr("no bos_token_id"));

  made = sentence_piece();
  made.data.scores.pop_back();
  EXPECT_EQ(Tokenizer::create(made.data).error().field, "tokenizer.ggml.scores");

  made = sentence_piece();
  made.data.scores[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Tokenizer::create(made.data).error().message, HasSubstr("score of token 5"));

  EXPECT_EQ(Tokenizer::create(VocabData{}).error().field, "tokenizer.ggml.tokens");
}

}  // namespace
}  // namespace twostroke

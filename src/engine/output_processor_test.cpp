// OutputProcessor: text events of one request, and every way its answer ends. Tokens are pieces of
// bytes.
#include "engine/output_processor.h"

#include <gtest/gtest.h>

#include "testing/fake_token_text.h"

namespace twostroke {
namespace {

constexpr TokenId kEnd = 9;

class OutputProcessorTest : public testing::Test {
 protected:
  // Feeds tokens until the answer ends; returns the texts joined by '|'.
  std::string run(OutputLimits limits, const std::vector<TokenId>& tokens) {
    OutputProcessor processor(text_, std::move(limits));
    std::string joined;
    reason_ = FinishReason::kNone;
    for (size_t i = 0; i < tokens.size() && reason_ == FinishReason::kNone; ++i) {
      OutputProcessor::Output output = processor.append(tokens[i], static_cast<int>(i) + 1);
      joined += output.text + "|";
      reason_ = output.finish_reason;
    }
    stop_string_ = processor.stop_string();
    return joined;
  }

  FakeTokenText text_{
      10, {kEnd}, {"Hel", "lo", "\xE6\x97", "\xA5", " EN", "D!", "\xF0\x9F", "x", "", "</s>"}};
  FinishReason reason_ = FinishReason::kNone;
  std::optional<std::string> stop_string_;
};

TEST_F(OutputProcessorTest, JoinsCodePointsAcrossTokens) {
  EXPECT_EQ(run({.max_tokens = 4}, {0, 1, 2, 3}), "Hel|lo||\xE6\x97\xA5|");
  EXPECT_EQ(reason_, FinishReason::kLength);
}

TEST_F(OutputProcessorTest, EndOfGenerationAddsNoText) {
  EXPECT_EQ(run({.max_tokens = 9}, {0, kEnd, 1}), "Hel||");
  EXPECT_EQ(reason_, FinishReason::kStop);
  EXPECT_FALSE(stop_string_.has_value());
}

TEST_F(OutputProcessorTest, IgnoreEosMakesItText) {
  EXPECT_EQ(run({.max_tokens = 3, .ignore_eos = true}, {0, kEnd, 1}), "Hel|</s>|lo|");
}

TEST_F(OutputProcessorTest, AStopStringAcrossTokensIsHeldBackAndDropped) {
  EXPECT_EQ(run({.max_tokens = 9, .stop_strings = {"END"}}, {0, 4, 5, 1}), "Hel| ||");
  EXPECT_EQ(reason_, FinishReason::kStop);
  EXPECT_EQ(stop_string_, "END");
}

TEST_F(OutputProcessorTest, AMultiByteStopStringCutInsideACodePoint) {
  EXPECT_EQ(run({.max_tokens = 9, .stop_strings = {"lo\xE6\x97\xA5"}}, {0, 1, 2, 3, 1}),
            "He|l|||");  // the first l might begin it
  EXPECT_EQ(reason_, FinishReason::kStop);
}

TEST_F(OutputProcessorTest, WhatWasHeldBackComesWithTheLastToken) {
  EXPECT_EQ(run({.max_tokens = 2, .stop_strings = {"END"}}, {0, 4}), "Hel| EN|");
  EXPECT_EQ(run({.max_tokens = 9, .stop_strings = {"END"}}, {0, 4, kEnd}), "Hel| |EN|");
  EXPECT_EQ(run({.max_tokens = 2}, {0, 6}), "Hel|\xEF\xBF\xBD|");  // half a code point
}

TEST_F(OutputProcessorTest, StopTokensCountOnlyAfterMinTokens) {
  EXPECT_EQ(run({.max_tokens = 9, .min_tokens = 2, .stop_token_ids = {7}}, {7, 7, 7, 1}), "x|x||");
  EXPECT_EQ(reason_, FinishReason::kStop);
}

}  // namespace
}  // namespace twostroke

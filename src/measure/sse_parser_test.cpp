// Goal: events come out the same wherever the network cuts the bytes. Method: every text is fed
// whole, byte by byte and at every single cut; expectations are written by hand from the
// specification.
#include "measure/sse_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace twostroke {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Events = std::vector<std::string>;

Events parse_pieces(const std::vector<std::string_view>& pieces) {
  SseParser parser;
  Events events;
  for (const std::string_view piece : pieces) {
    EXPECT_TRUE(parser
                    .feed(piece,
                          [&](const SseEvent& event) {
                            events.push_back(std::string(event.event) + "|" +
                                             std::string(event.data));
                          })
                    .ok());
  }
  return events;
}

// Fails when a cut changes anything.
Events parse(std::string_view text) {
  const Events whole = parse_pieces({text});
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(parse_pieces({text.substr(0, i), text.substr(i)}), whole) << "cut at " << i;
    bytes.push_back(text.substr(i, 1));
  }
  EXPECT_EQ(parse_pieces(bytes), whole) << "byte by byte";
  return whole;
}

TEST(SseParser, AllThreeLineEnds) {
  EXPECT_THAT(parse("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n"),
              ElementsAre("|a", "|b", "|c", "|d"));
}

TEST(SseParser, OneSpaceAfterTheColonIsNotData) {
  EXPECT_THAT(parse("data:x\n\ndata:  y\n\ndata: \n\n"), ElementsAre("|x", "| y", "|"));
}

TEST(SseParser, DataLinesAreJoined) {
  EXPECT_THAT(parse("data: {\"a\":\ndata: 1}\n\n"), ElementsAre("|{\"a\":\n1}"));
}

TEST(SseParser, CommentsUnknownFieldsAndEmptyEventsSayNothing) {
  EXPECT_THAT(parse(": ping\n\n:\n\nid: 7\nretry: 10\n\nevent: only\n\n\n\ndata: a\n: b\n\n"),
              ElementsAre("|a"));
}

TEST(SseParser, AnEventMayHaveAName) {
  EXPECT_THAT(parse("event: error\ndata: {}\n\ndata: next\n\n"), ElementsAre("error|{}", "|next"));
}

TEST(SseParser, FieldWithoutColon) {
  EXPECT_THAT(parse("data\n\ndata: x\ndata\n\n"), ElementsAre("|", "|x\n"));
}

TEST(SseParser, Utf8IsNotHarmedByCuts) {
  EXPECT_THAT(parse("\xEF\xBB\xBF"
                    "data: größe 東京 👩‍🚀\n\n"),
              ElementsAre("|größe 東京 👩‍🚀"));
}

TEST(SseParser, AnUnfinishedEventIsNotAnEvent) {
  EXPECT_THAT(parse("data: a\n\ndata: b\n"), ElementsAre("|a"));
  SseParser parser;
  const auto ignore = [](const SseEvent&) {};
  ASSERT_TRUE(parser.feed("data: a\n\n", ignore).ok());
  EXPECT_FALSE(parser.has_partial_event());
  ASSERT_TRUE(parser.feed("data: b\n", ignore).ok());
  EXPECT_TRUE(parser.has_partial_event());
}

TEST(SseParser, AnEventHasALimit) {
  const auto never = [](const SseEvent&) { FAIL(); };
  SseParser one_line(16);
  EXPECT_EQ(one_line.feed("data: " + std::string(20, 'x'), never).error().code,
            ErrorCode::kTooLarge);
  SseParser many_lines(16);
  Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) status = many_lines.feed("data: xxxx\n", never);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace twostroke

#include "server/json_text.h"

#include <gtest/gtest.h>

namespace twostroke {
namespace {

constexpr JsonLimits kLimits{4, 3};

TEST(JsonText, KeepsTheOrderOfKeys) {
  const auto parsed = parse_json(R"({"z":1,"a":2})", kLimits);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(dump_json(*parsed), R"({"z":1,"a":2})");
}

TEST(JsonText, SaysWhereItBreaks) {
  const auto parsed = parse_json(R"({"a": tru})", kLimits);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().message, "the body is not valid JSON: error at byte 10 of 10");
}

TEST(JsonText, RefusesWhatIsNotUtf8) {
  EXPECT_FALSE(parse_json("\"\xC3\x28\"", kLimits).ok());
  EXPECT_FALSE(parse_json("", kLimits).ok());
}

TEST(JsonText, DepthIsLimitedBeforeParsing) {
  EXPECT_TRUE(parse_json("[[[[1]]]]", kLimits).ok());
  EXPECT_EQ(parse_json("[[[[[1]]]]]", kLimits).error().message,
            "the JSON is nested more than 4 deep");
  EXPECT_EQ(parse_json(std::string(1 << 20, '['), kLimits).error().message,
            "the JSON is nested more than 4 deep");
  EXPECT_TRUE(parse_json(R"(["[[[[[[[[", "\"[[[["])", kLimits).ok())
      << "brackets in strings do not count";
}

TEST(JsonText, MembersOfOneObjectAreLimited) {
  EXPECT_TRUE(parse_json(R"({"a":{"x":1,"y":2,"z":3},"b":{"x":1},"c":":::::"})", kLimits).ok());
  EXPECT_EQ(parse_json(R"([{"a":1,"b":2,"c":3,"d":4}])", kLimits).error().message,
            "a JSON object has 4 members; the limit is 3");
}

TEST(JsonText, BadUtf8InAReplyBecomesReplacementCharacters) {
  EXPECT_EQ(dump_json(std::string("a\xF0\x9F")), "\"a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace twostroke

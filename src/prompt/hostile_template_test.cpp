// Templates come from model files and conversations from clients: whatever they hold, a clean error
// or a text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "prompt/chat_template.h"

namespace twostroke {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

const Json kHi = Json::parse(R"({"messages": [{"role": "user", "content": "hi"}]})");

// The reason of the failure, or "rendered N bytes".
std::string outcome(std::string_view source, const Json& request = kHi) {
  const auto compiled = ChatTemplate::create(source, "", "");
  if (!compiled.ok()) return compiled.error().message;
  const auto text = compiled->render(request);
  return text.ok() ? "rendered " + std::to_string(text->size()) + " bytes" : text.error().message;
}

std::string repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

constexpr const char* kTooMuch = "the template does too much work";

TEST(HostileTemplateTest, RunsOutOfFuel) {
  EXPECT_THAT(outcome("{% for i in range(100000000) %}x{% endfor %}"),
              AnyOf(HasSubstr(kTooMuch), HasSubstr("range")));
  EXPECT_THAT(
      outcome("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"),
      HasSubstr(kTooMuch));
  EXPECT_THAT(outcome("{{ 'a' * 1000000000 }}"),
              AnyOf(HasSubstr(kTooMuch), HasSubstr("too large")));
  EXPECT_THAT(outcome("{% set n = namespace(x='ab') %}{% for i in range(64) %}{% set n.x = n.x ~ "
                      "n.x %}{% endfor %}"
                      "{{ n.x }}"),
              HasSubstr(kTooMuch));
  const std::string doubled =
      "{% set n = namespace(x=[1, 2]) %}{% for i in range(30) %}{% set n.x = n.x + n.x %}{% endfor "
      "%}";
  EXPECT_THAT(outcome(doubled + "{% for a in n.x %}{% endfor %}"), HasSubstr(kTooMuch));
  EXPECT_THAT(outcome(doubled + "{{ n.x|tojson }}"), HasSubstr(kTooMuch));
}

TEST(HostileTemplateTest, RecursionIsBounded) {
  EXPECT_THAT(outcome("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
              HasSubstr("recursion limit"));
  EXPECT_THAT(outcome("{{ " + repeat("(", 20000) + "1" + repeat(")", 20000) + " }}"),
              HasSubstr("recursion"));
  EXPECT_THAT(outcome("{{ " + repeat("[", 20000) + "1" + repeat("]", 20000) + " }}"),
              HasSubstr("recursion"));
  outcome("{{ " + repeat("not ", 20000) + "1 }}");
  EXPECT_THAT(outcome(repeat("{% if 1 %}", 20000) + repeat("{% endif %}", 20000)),
              HasSubstr("recursion"));
  outcome("{{ 1" + repeat(" + 1", 20000) + " }}");
  outcome("{{ 'a'" + repeat("|upper", 20000) + " }}");
  outcome("{{ messages" + repeat(".x", 20000) + " }}");
}

// A value as deep as the fuel allows is printed, compared, written as JSON and at last destroyed.
TEST(HostileTemplateTest, DeepValues) {
  const std::string nest =
      "{% set n = namespace(x=[]) %}{% for i in range(50000) %}{% set n.x = [n.x] %}{% endfor %}";
  outcome(nest);
  EXPECT_THAT(outcome(nest + "{{ n.x|tojson }}"), HasSubstr("nested deeper"));
  outcome(nest + "{{ n.x }}");
  outcome(nest + "{{ n.x == n.x }}");
  outcome(nest + "{{ n.x|string|length }}");
  EXPECT_THAT(outcome(nest + "{{ n.x|pprint }}"), HasSubstr("unknown filter"));
}

TEST(HostileTemplateTest, FiltersAreBounded) {
  EXPECT_THAT(outcome("{{ [[1]]|tojson(indent=100000000) }}"), HasSubstr("indent must be at most"));
  EXPECT_THAT(outcome("{{ [[1]]|tojson(indent=-1) }}"), HasSubstr("line 1"));
  EXPECT_THAT(outcome("{{ [1]|tojson(separators=[1]) }}"), HasSubstr("line 1"));
  outcome("{{ 'x'|indent(1000000000) }}");
  outcome("{{ 'x'|center(1000000000) }}");
  outcome("{{ '%999999999d'|format(1) }}");
  outcome("{{ 'x'.ljust(1000000000) }}");
  outcome("{{ 10 ** 100000000 }}");
  outcome("{{ 'a,b'.replace('', 'x' * 100000) }}");
  outcome("{{ strftime_now('" + repeat("%c", 10000) + "') }}");
  outcome("{{ range(1, 100000000)|list|length }}");
  outcome("{{ '" + repeat("a", 100000) + "'.split('') }}");
}

TEST(HostileTemplateTest, BytesThatAreNoText) {
  EXPECT_THAT(outcome("ab\xff{{ 1 }}"), HasSubstr("not UTF-8 at byte 2"));
  EXPECT_EQ(outcome(std::string("a\0b{{ messages[0].content }}", 28)), "rendered 5 bytes");
  Json request = kHi;
  request["messages"][0]["content"] = std::string("a\0b", 3);
  EXPECT_EQ(outcome("{{ messages[0].content }}", request), "rendered 3 bytes");
  request["messages"][0]["content"] = "a\xff";
  EXPECT_THAT(outcome("{{ messages[0].content }}", request), HasSubstr("not valid UTF-8"));
}

TEST(HostileTemplateTest, ConversationsAreBounded) {
  Json deep = "x";
  for (int i = 0; i < 5000; ++i) deep = Json::array({std::move(deep)});
  Json request = kHi;
  request["tools"] = deep;
  EXPECT_THAT(outcome("{{ tools|tojson }}", request), HasSubstr("nested deeper than"));
  request = kHi;
  request["messages"][0]["content"] = std::string(kMaxContextBytes, 'x');
  EXPECT_THAT(outcome("{{ messages[0].content }}", request), HasSubstr("bytes of JSON"));
  EXPECT_THAT(outcome(std::string(kMaxTemplateBytes + 1, 'x')), HasSubstr("at most"));
  for (const char* odd :
       {"[]", "{}", "1", R"({"messages": 1})", R"({"messages": [1]})", R"({"messages": null})"}) {
    EXPECT_THAT(outcome("x", Json::parse(odd)), AnyOf(HasSubstr("must be"), HasSubstr("missing")))
        << odd;
  }
}

TEST(HostileTemplateTest, ReachesNoFiles) {
  EXPECT_THAT(outcome("{% include '/etc/hostname' %}"), HasSubstr("template not found"));
  EXPECT_THAT(outcome("{% include 'chat' %}"), HasSubstr("could not render include"));
}

}  // namespace
}  // namespace twostroke

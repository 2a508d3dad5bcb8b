#include "prompt/message_shape.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "prompt/chat_template.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStrings =
    "{% for m in messages %}{{ m.role + ':' + m.content }}{% endfor %}";
constexpr const char* kParts =
    "{% for m in messages %}{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% endif "
    "%}{% endfor %}"
    "{% endfor %}";
constexpr const char* kEither =
    "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in "
    "m.content %}"
    "{{ p.text }}{% endfor %}{% endif %}{% endfor %}";
constexpr const char* kPrintsTheList = "{% for m in messages %}{{ m.content }}{% endfor %}";
constexpr const char* kArgumentsAsText =
    "{% for m in messages %}{% for c in m.tool_calls %}{{ '!' + c.function.arguments }}{% endfor "
    "%}{% endfor %}";
constexpr const char* kArgumentsAsObject =
    "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.arguments|tojson }}{% endfor "
    "%}{% endfor %}";

ChatTemplate compile(const char* source) {
  auto compiled = ChatTemplate::create(source, "", "");
  CHECK(compiled.ok());
  return std::move(compiled).value();
}

TEST(MessageShapeTest, FindsOutWhatATemplateTakes) {
  EXPECT_EQ(compile(kStrings).shape().content, ContentShape::kStringOnly);
  EXPECT_EQ(compile(kPrintsTheList).shape().content, ContentShape::kStringOnly);
  EXPECT_EQ(compile(kParts).shape().content, ContentShape::kPartsOnly);
  EXPECT_EQ(compile(kEither).shape().content, ContentShape::kEither);
  EXPECT_FALSE(compile(kStrings).accepts_content_parts());
  EXPECT_TRUE(compile(kEither).accepts_content_parts());
  EXPECT_FALSE(compile(kArgumentsAsText).shape().arguments_as_object);
  EXPECT_TRUE(compile(kArgumentsAsObject).shape().arguments_as_object);
}

TEST(MessageShapeTest, BringsContentIntoShape) {
  const Json parts =
      Json::parse(R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"},
                                     {"type": "text", "text": "b"}]}]})");
  const Json string = Json::parse(R"({"messages": [{"role": "user", "content": "a"}]})");
  EXPECT_EQ(*compile(kStrings).render(parts), "user:a\nb");
  EXPECT_EQ(*compile(kParts).render(parts), "ab");
  EXPECT_EQ(*compile(kEither).render(parts), "ab");
  EXPECT_EQ(*compile(kParts).render(string), "a");
  EXPECT_EQ(*compile(kEither).render(string), "a");
}

TEST(MessageShapeTest, RefusesPartsWithoutText) {
  const Json image =
      Json::parse(R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})");
  const auto text = compile(kStrings).render(image);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().field, "messages[0].content[0]");
}

TEST(MessageShapeTest, BringsToolArgumentsIntoShape) {
  const auto call_with = [](const Json& arguments) {
    Json request =
        Json::parse(R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]})");
    request["messages"][0]["tool_calls"][0]["function"]["arguments"] = arguments;
    return request;
  };
  const Json object = Json::parse(R"({"b": [1, "é"], "a": {}})");
  const std::string text = R"({"b": [1, "é"], "a": {}})";
  EXPECT_EQ(*compile(kArgumentsAsText).render(call_with(object)), "!" + text);
  EXPECT_EQ(*compile(kArgumentsAsText).render(call_with(text)), "!" + text);
  EXPECT_EQ(*compile(kArgumentsAsObject).render(call_with(text)), text);
  EXPECT_EQ(*compile(kArgumentsAsObject).render(call_with("no JSON")), "\"no JSON\"");
}

}  // namespace
}  // namespace twostroke

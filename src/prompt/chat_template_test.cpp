#include "prompt/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace twostroke {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::tm noon_of_may_first() {
  std::tm time{};
  time.tm_year = 126;
  time.tm_mon = 4;
  time.tm_mday = 1;
  time.tm_hour = 12;
  time.tm_wday = 5;
  return time;
}

Result<std::string> render(std::string_view source, const std::string& request) {
  const ChatTemplate compiled = TRY(ChatTemplate::create(source, "<s>", "</s>", noon_of_may_first));
  return compiled.render(Json::parse(request));
}

// With one user message that says "hi".
std::string render_hi(std::string_view source) {
  const auto text = render(source, R"({"messages": [{"role": "user", "content": "hi"}]})");
  return text.ok() ? *text : "error: " + text.error().message;
}

TEST(ChatTemplateTest, RendersWithHuggingFacesVariables) {
  const std::string source =
      "{% for m in messages %}\n  {% if m.role == 'user' %}\n{{ bos_token + m['content'] + "
      "eos_token }}"
      "\n  {% endif %}\n{% endfor %}\n{% if add_generation_prompt %}>{% endif %}";
  EXPECT_EQ(render_hi(source), "<s>hi</s>\n>");
  EXPECT_EQ(render_hi("{{ tools is none }} {{ documents is none }} {{ nothing is defined }}"),
            "True True False");
}

TEST(ChatTemplateTest, HasPythonsMethodsAndLoopControls) {
  EXPECT_EQ(render_hi("{{ ' a b '.strip().upper().split(' ')|join('-') }}"), "A-B");
  EXPECT_EQ(render_hi("{% for k, v in {'b': 1, 'a': 2}.items() %}{{ k }}{{ v }}{% endfor %}"),
            "b1a2");
  EXPECT_EQ(render_hi("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}"
                      "{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}"),
            "02");
  EXPECT_EQ(render_hi("{% set n = namespace(x=1) %}{% for i in [2, 3] %}{% set n.x = n.x + i %}"
                      "{% endfor %}{{ n.x }}"),
            "6");
  EXPECT_EQ(
      render_hi("a{%- generation -%} b {%- endgeneration %}c{% generation%}d{%endgeneration %}"),
      "abcd");
}

TEST(ChatTemplateTest, WritesJsonAsPythonDoes) {
  EXPECT_EQ(render_hi(R"({{ {"b": [1, 2.0, true, none], "a": "<é\n\"'>"}|tojson }})"),
            "{\"b\": [1, 2.0, true, null], \"a\": \"<é\\n\\\"'>\"}");
  EXPECT_EQ(render_hi("{{ {'b': [], 'a': {}, 'c': [1]}|tojson(indent=2, sort_keys=true) }}"),
            "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    1\n  ]\n}");
  EXPECT_EQ(render_hi("{{ [1, {'a': 2}]|tojson(separators=(',', ':')) }}"), "[1,{\"a\":2}]");
  EXPECT_EQ(render_hi("{{ 'é😀'|tojson(ensure_ascii=true) }}"), "\"\\u00e9\\ud83d\\ude00\"");
  EXPECT_EQ(render_hi("{{ [0.00001, 0.1, 1e16, 123456.75]|tojson }}"),
            "[1e-05, 0.1, 1e+16, 123456.75]");
  EXPECT_THAT(render_hi("{{ nothing|tojson }}"), HasSubstr("not JSON serializable"));
}

TEST(ChatTemplateTest, KeepsTheClientsKeyOrder) {
  const auto text = render("{{ tools|tojson }}",
                           R"({"messages": [], "tools": [{"z": 1, "a": {"y": 2, "b": 3}}]})");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, R"([{"z": 1, "a": {"y": 2, "b": 3}}])");
}

TEST(ChatTemplateTest, TellsTheInjectedTime) {
  EXPECT_EQ(render_hi("{{ strftime_now('%d %b %Y, %H:%M%Z') }}"), "01 May 2026, 12:00");
  EXPECT_EQ(render_hi("{{ strftime_now('%-d%%') }}|{{ strftime_now('') }}|{{ strftime_now('%') }}"),
            "1%||%");
}

TEST(ChatTemplateTest, TakesKwargsButNotOverItsOwnVariables) {
  const std::string source = "{{ enable_thinking }} {{ bos_token }}";
  auto text = render(
      source,
      R"({"messages": [], "chat_template_kwargs": {"enable_thinking": false, "bos_token": "B"}})");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, "False B");
  text = render(source, R"({"messages": [], "chat_template_kwargs": {"messages": []}})");
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().field, "chat_template_kwargs.messages");
  text = render(source, R"({"messages": [], "chat_template_kwargs": [1]})");
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().field, "chat_template_kwargs");
}

TEST(ChatTemplateTest, SaysWhereAndWhy) {
  const auto broken = ChatTemplate::create("a\n{% if %}\n", "", "");
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().field, "chat_template");
  EXPECT_THAT(broken.error().message, HasSubstr("line 2: syntax error"));
  EXPECT_THAT(render_hi("\n\n{{ raise_exception('roles must alternate') }}"),
              HasSubstr("line 3: roles must alternate"));
  EXPECT_THAT(render_hi("\n{{ messages.x.y }}"), HasSubstr("line 2: undefined value"));
}

TEST(ChatTemplateTest, EndsAtTheFinalMessageToContinueIt) {
  const std::string source =
      "{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]\n{% endfor %}"
      "{% if add_generation_prompt %}[assistant]{% endif %}";
  const std::string start =
      R"({"add_generation_prompt": false, "continue_final_message": true, "messages": [)"
      R"({"role": "user", "content": "Say yes"},)";
  auto text = render(source, start + R"({"role": "assistant", "content": " yes "}]})");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, "[user]Say yes[end]\n[assistant] yes ");
  text = render(source, start + R"({"role": "assistant", "content": " "}]})");
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().field, "continue_final_message");
  text = render("{{ messages[0].content|upper }}",
                start + R"({"role": "assistant", "content": "yes"}]})");
  EXPECT_FALSE(text.ok());
}

TEST(ChatTemplateTest, ManyThreadsRenderAtOnce) {
  const auto compiled = ChatTemplate::create("{{ messages[0].content|upper }}", "", "");
  ASSERT_TRUE(compiled.ok());
  std::vector<std::string> texts(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 50; ++round) {
        const Json request = {
            {"messages", {{{"role", "user"}, {"content", "n" + std::to_string(i)}}}}};
        texts[i] = *compiled->render(request);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], "N" + std::to_string(i));
}

}  // namespace
}  // namespace twostroke

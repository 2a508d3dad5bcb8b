// Goal: a model whose template knows no tools still hears of them, of calls and of results. Method:
// a template that takes tools, one that does not, and the conversation that comes out.
#include "prompt/tool_prompt.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "prompt/builtin_templates.h"
#include "prompt/chat_template.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

bool template_takes_tools(std::string_view source) {
  const auto compiled = ChatTemplate::create(source, "", "");
  CHECK(compiled.ok());
  return takes_tools([&](const Json& request) { return compiled->render(request); });
}

TEST(ToolPrompt, KnowsWhichTemplatesTakeTools) {
  EXPECT_FALSE(template_takes_tools(builtin_template("chatml")));
  EXPECT_TRUE(template_takes_tools("{% for t in tools %}{{ t.function.name }}{% endfor %}"));
  EXPECT_FALSE(template_takes_tools("{{ raise_exception('no') }}"));
}

TEST(ToolPrompt, PutsToolsCallsAndResultsIntoTheText) {
  const Json request = Json::parse(R"({"messages":[
    {"role":"system","content":"Be brief."},
    {"role":"user","content":"Weather?"},
    {"role":"assistant","content":null,"tool_calls":[
      {"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
      {"id":"2","type":"function","function":{"name":"g","arguments":{}}}]},
    {"role":"tool","tool_call_id":"1","content":"sun"},
    {"role":"tool","tool_call_id":"2","content":[{"type":"text","text":"rain"}]},
    {"role":"user","content":"So?"}],
    "tools":[{"type":"function","function":{"name":"f"}}],"add_generation_prompt":true})");
  const Json out = explain_tools(request);
  EXPECT_FALSE(out.contains("tools"));
  EXPECT_EQ(out["add_generation_prompt"], true);
  const Json& messages = out["messages"];
  ASSERT_EQ(messages.size(), 5U);
  EXPECT_EQ(messages[0]["role"], "system");
  const std::string system = messages[0]["content"];
  EXPECT_TRUE(system.starts_with("Be brief.\n\n")) << system;
  EXPECT_NE(system.find(R"({"type":"function","function":{"name":"f"}})"), std::string::npos);
  EXPECT_EQ(messages[2]["content"],
            "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":1}}\n</tool_call>\n"
            "<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>");
  EXPECT_EQ(messages[3]["role"], "user");
  EXPECT_EQ(messages[3]["content"],
            "<tool_response>\nsun\n</tool_response>\n<tool_response>\nrain\n</tool_response>");
  EXPECT_EQ(messages[4]["content"], "So?");
}

TEST(ToolPrompt, LeavesOtherConversationsAlone) {
  const Json request = Json::parse(R"({"messages":[{"role":"user","content":"Hi"}]})");
  EXPECT_EQ(explain_tools(request), request);
}

}  // namespace
}  // namespace twostroke

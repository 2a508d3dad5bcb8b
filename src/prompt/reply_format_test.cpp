// Goal: the format is read off the template. Method: the templates of the families we serve, as
// their makers ship them (test data), and names.
#include "prompt/reply_format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace twostroke {
namespace {

TEST(ReplyFormat, ByName) {
  for (const std::string_view name : tool_call_format_names()) {
    const auto format = choose_reply_format("", name, "none");
    ASSERT_TRUE(format.ok());
    EXPECT_EQ(tool_call_format_name(format->tools), name);
    EXPECT_TRUE(format->reasoning.empty());
    EXPECT_FALSE(marker_texts(*format).empty() &&
                 format->tools != ToolCallFormat::kFunctionaryV31 &&
                 format->tools != ToolCallFormat::kFunctionaryV32);
  }
  const auto none = choose_reply_format("<tool_call> <think>", "none", "none");
  EXPECT_EQ(none->tools, ToolCallFormat::kNone);
  EXPECT_TRUE(none->reasoning.empty());
  const auto unknown = choose_reply_format("", "xml", "none");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().field, "tool-call-parser");
  EXPECT_NE(unknown.error().message.find("hermes, llama3_json"), std::string::npos);
  EXPECT_EQ(choose_reply_format("", "auto", "loud").error().field, "reasoning-parser");
}

TEST(ReplyFormat, ATemplateThatKnowsNoToolsGetsHermes) {
  EXPECT_EQ(choose_reply_format("{{ messages }}", "auto", "auto")->tools, ToolCallFormat::kHermes);
}

TEST(ReplyFormat, ByTheMakersTemplates) {
  const char* data = std::getenv("TWOSTROKE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "TWOSTROKE_TEST_DATA is not set (make test sets it)";
  struct Case {
    const char* file;
    const char* tools;
    const char* close;  // of the reasoning
  };
  const Case cases[] = {
      {"Qwen-Qwen2.5-7B-Instruct", "hermes", ""},
      {"Qwen-Qwen3-0.6B", "hermes", "</think>"},
      {"Qwen-QwQ-32B", "hermes", "</think>"},
      {"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", "hermes", ""},
      {"NousResearch-Hermes-3-Llama-3.1-8B-tool_use", "hermes", ""},
      {"meta-llama-Llama-3.1-8B-Instruct", "llama3_json", ""},
      {"meta-llama-Llama-3.2-3B-Instruct", "llama3_json", ""},
      {"meta-llama-Llama-3.3-70B-Instruct", "llama3_json", ""},
      {"mistralai-Mistral-Nemo-Instruct-2407", "mistral", ""},
      {"unsloth-mistral-Devstral-Small-2507", "mistral", ""},
      {"mistralai-Ministral-3-14B-Reasoning-2512", "mistral", "[/THINK]"},
      {"google-gemma-4-31B-it", "gemma", ""},
      {"google-gemma-2-2b-it", "hermes", ""},
      {"meetkai-functionary-medium-v3.1", "functionary_v31", ""},
      {"meetkai-functionary-medium-v3.2", "functionary_v32", ""},
      {"deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "deepseek", "</think>"},
      {"deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek", "</think>"},
  };
  for (const Case& it : cases) {
    std::ifstream file(std::string(data) + "/templates/" + it.file + ".jinja");
    ASSERT_TRUE(file) << it.file;
    std::stringstream source;
    source << file.rdbuf();
    const auto format = choose_reply_format(source.str(), "auto", "auto");
    EXPECT_EQ(tool_call_format_name(format->tools), it.tools) << it.file;
    EXPECT_EQ(format->reasoning.close, it.close) << it.file;
  }
}

}  // namespace
}  // namespace twostroke

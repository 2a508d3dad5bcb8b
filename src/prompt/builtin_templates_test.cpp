#include "prompt/builtin_templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "prompt/chat_template.h"

namespace twostroke {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::string render(std::string_view name) {
  const auto compiled = ChatTemplate::create(builtin_template(name), "<s>", "</s>");
  CHECK(compiled.ok());
  return *compiled->render(Json::parse(R"({"messages": [
      {"role": "system", "content": "S"}, {"role": "user", "content": "A"},
      {"role": "assistant", "content": "B"}, {"role": "user", "content": "C"}]})"));
}

TEST(BuiltinTemplatesTest, RenderTheirFormats) {
  EXPECT_EQ(render("chatml"),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nA<|im_end|>\n<|im_start|>"
            "assistant\nB<|im_end|>\n"
            "<|im_start|>user\nC<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(render("gemma"),
            "<s><start_of_turn>user\nS\n\nA<end_of_turn>\n<start_of_turn>model\nB<end_of_turn>\n"
            "<start_of_turn>user\nC<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(render("llama2"),
            "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nA [/INST] B </s><s>[INST] C [/INST]");
  EXPECT_EQ(render("llama3"),
            "<s><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|"
            "end_header_id|>\n\n"
            "A<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nB<|eot_id|><|start_header_"
            "id|>user"
            "<|end_header_id|>\n\nC<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(
      render("phi3"),
      "<|system|>\nS<|end|>\n<|user|>\nA<|end|>\n<|assistant|>\nB<|end|>\n<|user|>\nC<|end|>\n"
      "<|assistant|>\n");
  EXPECT_EQ(render("plain"), "System: S\n\nUser: A\n\nAssistant: B\n\nUser: C\n\nAssistant:");
  EXPECT_EQ(
      render("zephyr"),
      "<|system|>\nS</s>\n<|user|>\nA</s>\n<|assistant|>\nB</s>\n<|user|>\nC</s>\n<|assistant|>\n");
}

TEST(BuiltinTemplatesTest, LoadsByNameOrFile) {
  EXPECT_EQ(*load_chat_template("chatml"), builtin_template("chatml"));
  const std::string path =
      ::testing::TempDir() + "/twostroke_template_test_" + std::to_string(getpid()) + ".jinja";
  std::ofstream(path) << "{{ 1 }}\n";
  EXPECT_EQ(*load_chat_template(path), "{{ 1 }}\n");
  std::remove(path.c_str());
  const auto missing = load_chat_template(path);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("chatml, gemma"));
  EXPECT_FALSE(load_chat_template("/").ok());
  const auto endless = load_chat_template("/dev/zero");
  ASSERT_FALSE(endless.ok());
  EXPECT_EQ(endless.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace twostroke

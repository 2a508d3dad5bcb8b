// Goal: answers with calls and reasoning have OpenAI's shapes, streamed and whole, and say the same
// both ways. Method: the events of an engine, written out; the chunks, byte for byte.
#include <gtest/gtest.h>

#include "sampling/json_schema.h"
#include "server/fake_engine_client.h"
#include "server/fake_model_services.h"
#include "server/generation.h"
#include "server/tool_request.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

class ToolGenerationTest : public testing::Test {
 protected:
  GenerationBase base(ReplyParserOptions options) {
    GenerationBase out{{engine_, model_}, clock_, {true, "id-1", "fake", 1700000000}, {}, {}};
    Choice choice;
    choice.tokens = stream_ = std::make_shared<TokenStream>();
    choice.id = 1;
    choice.prompt_tokens = 8;
    choice.parser = std::make_unique<ReplyParser>(std::move(options));
    out.choices.push_back(std::move(choice));
    return out;
  }
  static ReplyParserOptions hermes() {
    ReplyParserOptions options;
    options.format.tools = ToolCallFormat::kHermes;
    options.format.reasoning = {"<think>", "</think>"};
    return options;
  }
  // One event a piece; the last one also ends the answer.
  void push(const std::vector<std::string>& pieces, FinishReason reason = FinishReason::kStop) {
    int number = 0;
    for (const std::string& piece : pieces) {
      TokenEvent event;
      event.token = 'a';
      event.text = piece;
      event.num_output_tokens = ++number;
      if (number == static_cast<int>(pieces.size())) event.finish_reason = reason;
      stream_->push(std::move(event));
    }
    RequestSummary summary;
    summary.num_output_tokens = number;
    summary.finish_reason = reason;
    summary.ledger = Ledger(0);
    stream_->finish(std::move(summary));
  }
  // The choices of all chunks, without what all of them share.
  static std::vector<json> choices_of(ReplySource& source) {
    std::string out;
    EXPECT_TRUE(source.poll(out));
    std::vector<json> choices;
    for (size_t at = 0; (at = out.find("data: {", at)) != std::string::npos;) {
      const size_t end = out.find("\n\n", at);
      json choice = json::parse(out.substr(at + 6, end - at - 6))["choices"][0];
      choice.erase("index");
      choice.erase("logprobs");
      choices.push_back(std::move(choice));
      at = end;
    }
    return choices;
  }

  ManualClock clock_;
  FakeEngineClient engine_{clock_};
  FakeModelServices model_;
  std::shared_ptr<TokenStream> stream_;
};

const std::vector<std::string> kPieces = {"<think>",
                                          "hm",
                                          "</think>",
                                          "\n\nSo ",
                                          "be it.\n",
                                          "<tool",
                                          "_call>\n{\"name\": \"f\", \"arg",
                                          "uments\": {\"a\"",
                                          ": 1}}",
                                          "\n</tool_call>",
                                          ""};

TEST_F(ToolGenerationTest, StreamsNameThenArguments) {
  const auto source = make_streamed_generation(base(hermes()));
  push(kPieces);
  std::vector<json> choices = choices_of(*source);
  std::string id;
  std::vector<std::string> shapes;
  for (json& choice : choices) {
    json& delta = choice["delta"];
    if (delta.contains("tool_calls") && delta["tool_calls"][0].contains("id")) {
      id = delta["tool_calls"][0]["id"];
      delta["tool_calls"][0]["id"] = "ID";
    }
    shapes.push_back(choice["delta"].dump() + choice["finish_reason"].dump());
  }
  const std::vector<std::string> expected = {
      R"({"role":"assistant","content":""}null)",
      R"({}null)",
      R"({"reasoning_content":"hm"}null)",
      R"({}null)",
      R"({"content":"So"}null)",
      R"({"content":" be it."}null)",
      R"({}null)",
      R"({}null)",
      R"({"tool_calls":[{"index":0,"id":"ID","type":"function","function":{"name":"f","arguments":""}}]}null)",
      R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}null)",
      R"({"tool_calls":[{"index":0,"function":{"arguments":": 1}"}}]}null)",
      R"({}null)",
      R"({}"tool_calls")"};
  EXPECT_EQ(shapes, expected);
  EXPECT_TRUE(id.starts_with("call_")) << id;
  EXPECT_EQ(id.size(), 29U);
}

TEST_F(ToolGenerationTest, TheWholeSaysWhatTheStreamSays) {
  const auto source = make_whole_generation(base(hermes()));
  push(kPieces);
  std::string out;
  ASSERT_TRUE(source->poll(out));
  json choice = json::parse(out)["choices"][0];
  choice["message"]["tool_calls"][0]["id"] = "ID";
  EXPECT_EQ(choice["message"].dump(),
            R"({"role":"assistant","content":"So be it.","reasoning_content":"hm","tool_calls":[)"
            R"({"id":"ID","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]})");
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
}

TEST_F(ToolGenerationTest, OnlyCallsMeansNoContent) {
  const auto source = make_whole_generation(base(hermes()));
  push({"<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>"});
  std::string out;
  ASSERT_TRUE(source->poll(out));
  EXPECT_TRUE(json::parse(out)["choices"][0]["message"]["content"].is_null());
}

TEST_F(ToolGenerationTest, CutOffKeepsItsReasonAndWhatWasHeldBack) {
  const auto source = make_streamed_generation(base(hermes()));
  push({"Yes. <tool_c"}, FinishReason::kLength);
  const std::vector<json> choices = choices_of(*source);
  ASSERT_EQ(choices.size(), 3U);
  EXPECT_EQ(choices[1]["delta"]["content"], "Yes. <tool_c");
  EXPECT_EQ(choices[2]["finish_reason"], "length");
}

std::string prepared(const std::string& schema) {
  return prepare_json_schema(schema, 64, "").value();
}

TEST(ForcedCall, GrammarsNameTheAllowedTools) {
  ToolRequest request;
  request.tools = {{"f", json::parse(R"({"type":"object","properties":{"a":{"type":"string"}}})")},
                   {"g", json::object()}};
  request.must_call = true;
  EXPECT_EQ(
      forced_call_grammar(request, ToolCallFormat::kHermes).value(),
      "start: call (\"\\n\" call)*\ncall: call_0 | call_1\n"
      "call_0: \"<tool_call>\\n{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": \" arguments_0 "
      "\"}\\n</tool_call>\"\n"
      "arguments_0: %json " +
          prepared(R"({"type":"object","properties":{"a":{"type":"string"}},)"
                   R"("additionalProperties":false})") +
          "\n"
          "call_1: \"<tool_call>\\n{\\\"name\\\": \\\"g\\\", \\\"arguments\\\": \" arguments_1 "
          "\"}\\n</tool_call>\"\n"
          "arguments_1: %json " +
          prepared(R"({"type":"object"})") + "\n");
  request.only = "g";
  EXPECT_EQ(forced_call_grammar(request, ToolCallFormat::kLlama3Json).value(),
            "start: call\ncall: call_1\n"
            "call_1: \"{\\\"name\\\": \\\"g\\\", \\\"parameters\\\": \" arguments_1 \"}\"\n"
            "arguments_1: %json " +
                prepared(R"({"type":"object"})") + "\n");
}

// What a grammar lets through must be what the parser reads: one byte a token, always the highest
// that is allowed.
TEST(ForcedCall, EveryFormatsCallsAreReadBack) {
  FakeModelServices model;
  ToolRequest request;
  request.tools = {{"get_weather", json::parse(R"({"properties":{"n":{"enum":["]}</tool"]}},)"
                                               R"("required":["n"]})")}};
  request.must_call = true;
  request.parallel = false;
  for (const ToolCallFormat model_format :
       {ToolCallFormat::kNone, ToolCallFormat::kHermes, ToolCallFormat::kLlama3Json,
        ToolCallFormat::kMistral, ToolCallFormat::kGemma, ToolCallFormat::kFunctionaryV31,
        ToolCallFormat::kFunctionaryV32, ToolCallFormat::kDeepseek}) {
    ReplyParserOptions options;
    options.format.tools = forced_call_format(model_format);
    options.tool_names = request.names();
    const auto text = forced_call_grammar(request, options.format.tools);
    ASSERT_TRUE(text.ok());
    const auto grammar = model.compile_grammar({GrammarSpec::Kind::kLark, *text, "tools"});
    ASSERT_TRUE(grammar.ok()) << grammar.error().message;
    const auto matcher = (*grammar)->start();
    ReplyParser parser(options);
    std::vector<ReplyDelta> deltas;
    std::vector<uint32_t> mask(token_mask_words(258));
    for (int step = 0; step < 500; ++step) {
      ASSERT_TRUE(matcher->compute_mask(mask).ok());
      if (is_allowed(mask, 257)) break;
      TokenId token = 255;
      while (token > 0 && !is_allowed(mask, token)) --token;
      parser.push(std::string(1, static_cast<char>(token)), deltas);
      ASSERT_TRUE(matcher->accept(token).ok());
    }
    parser.finish(deltas);
    std::string name, arguments, content;
    for (const ReplyDelta& delta : deltas) {
      if (delta.kind == ReplyDelta::Kind::kToolCall) name += delta.text;
      if (delta.kind == ReplyDelta::Kind::kToolArguments) arguments += delta.text;
      if (delta.kind == ReplyDelta::Kind::kContent) content += delta.text;
    }
    EXPECT_EQ(name, "get_weather") << tool_call_format_name(model_format);
    EXPECT_EQ(json::parse(arguments, nullptr, false), json({{"n", "]}</tool"}})) << arguments;
    EXPECT_EQ(content, "");
  }
}

TEST(ReplyAssembly, MistralsIdsAreNineLettersAndDigits) {
  ReplyAssembly assembly(ToolCallFormat::kMistral);
  EXPECT_EQ(assembly.add({ReplyDelta::Kind::kToolCall, 0, "f"}).call_id.size(), 9U);
  EXPECT_NE(random_id(20), random_id(20));
}

}  // namespace
}  // namespace twostroke

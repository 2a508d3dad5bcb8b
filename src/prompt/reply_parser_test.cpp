// Goal: the parser finds every format's calls and reasoning, loses nothing of what is none, and
// does not depend on how the text was cut. Method: written-out answers of each family, every cut in
// two, single bytes, and random texts made of the formats' own fragments.
#include "prompt/reply_parser.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace twostroke {
namespace {

using Kind = ReplyDelta::Kind;
using Json = nlohmann::ordered_json;

ReplyParserOptions options_of(ToolCallFormat tools, bool reasoning = false) {
  ReplyParserOptions options;
  options.format.tools = tools;
  if (reasoning) options.format.reasoning = {"<think>", "</think>"};
  options.tool_names = {"f", "get_weather"};
  return options;
}

// "content|reasoning|name(arguments)…" of a text cut as told.
std::string merged(const std::vector<ReplyDelta>& deltas) {
  std::string content, reasoning, calls;
  for (const ReplyDelta& delta : deltas) {
    if (delta.kind == Kind::kContent) content += delta.text;
    if (delta.kind == Kind::kReasoning) reasoning += delta.text;
    if (delta.kind == Kind::kToolCall)
      calls += "\n" + std::to_string(delta.call) + ":" + delta.text + " ";
    if (delta.kind == Kind::kToolArguments) calls += delta.text;
  }
  return content + "|" + reasoning + "|" + calls;
}

std::string parse_cut(const ReplyParserOptions& options, const std::vector<std::string>& pieces) {
  ReplyParser parser(options);
  std::vector<ReplyDelta> deltas;
  for (const std::string& piece : pieces) parser.push(piece, deltas);
  parser.finish(deltas);
  return merged(deltas);
}

std::vector<std::string> bytes_of(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char c : text) pieces.emplace_back(1, c);
  return pieces;
}

// The parse, which every cut must give.
std::string parse(const ReplyParserOptions& options, const std::string& text) {
  const std::string whole = parse_cut(options, {text});
  EXPECT_EQ(parse_cut(options, bytes_of(text)), whole) << text;
  for (size_t i = 0; i <= text.size(); ++i) {
    EXPECT_EQ(parse_cut(options, {text.substr(0, i), text.substr(i)}), whole)
        << text << " at " << i;
  }
  return whole;
}

std::string parse(ToolCallFormat tools, const std::string& text) {
  return parse(options_of(tools), text);
}

TEST(ReplyParser, PlainTextGoesThroughWhole) {
  for (const std::string text :
       {"", " ", "Hello,\n\n world. ", "a < b <tool_cal", "{\"a\": 1}\n"}) {
    EXPECT_EQ(parse(ToolCallFormat::kHermes, text), text + "||");
    EXPECT_EQ(parse(ToolCallFormat::kLlama3Json, text), text + "||");
    EXPECT_EQ(parse(ToolCallFormat::kNone, text), text + "||");
    EXPECT_EQ(parse(ToolCallFormat::kMistral, text), text + "||");
  }
}

TEST(ReplyParser, HermesCalls) {
  const auto tools = ToolCallFormat::kHermes;
  EXPECT_EQ(
      parse(tools,
            "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"}\"]}}\n</tool_call>"),
      "||\n0:f {\"a\": [1, \"}\"]}");
  EXPECT_EQ(parse(tools,
                  "Let me see.\n<tool_call>\n{\"name\":\"f\",\"arguments\":{}}\n</tool_call>\n"
                  "<tool_call>\n{\"name\":\"g\",\"arguments\":{\"x\":\"\\\"\"}}\n</tool_call>\n"),
            "Let me see.||\n0:f {}\n1:g {\"x\":\"\\\"\"}");
  // The keys in the other order, an id, no arguments, arguments as a string, null.
  EXPECT_EQ(parse(tools, "<tool_call>{\"arguments\": {\"a\": 1}, \"name\": \"f\"}</tool_call>"),
            "||\n0:f {\"a\": 1}");
  EXPECT_EQ(
      parse(tools, "<tool_call>{\"id\": 3, \"type\": \"function\", \"name\": \"f\"}</tool_call>"),
      "||\n0:f {}");
  EXPECT_EQ(
      parse(tools, "<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": 1}\"}</tool_call>"),
      "||\n0:f {\"a\": 1}");
  EXPECT_EQ(parse(tools, "<tool_call>{\"name\":\"f\",\"arguments\":null}</tool_call>after"),
            "after||\n0:f {}");
}

TEST(ReplyParser, WhatIsNoCallStaysContent) {
  const auto tools = ToolCallFormat::kHermes;
  for (const std::string text :
       {"<tool_call>", "<tool_call>\nnot json\n</tool_call>",
        "<tool_call>{\"name\": 3}</tool_call>",
        "<tool_call>{\"arguments\": {\"a\": 1}}</tool_call>", "<tool_call>{\"name\": \"f\"",
        "<tool_call>{\"name\": \"f\", \"arguments\": 5}</tool_call>", "x </tool_call> y",
        "<tool_call>{\"name\": \"f\", \"colour\": \"red\"}", "<tool_call>[1]</tool_call>",
        "<tool_call>{\"name\": \"f\", \"name\": \"g\"}"}) {
    EXPECT_EQ(parse(tools, text), text + "||");
  }
  // A real call after a false one.
  EXPECT_EQ(
      parse(tools, "<tool_call>oops <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>"),
      "<tool_call>oops||\n0:f {}");
}

TEST(ReplyParser, ACallThatWasAnnouncedStands) {
  const auto tools = ToolCallFormat::kHermes;
  // Cut off within the arguments, and after them.
  EXPECT_EQ(parse(tools, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"b"),
            "||\n0:f {\"a\": \"b");
  EXPECT_EQ(parse(tools, "<tool_call>{\"name\": \"f\", \"arguments\": {}"), "||\n0:f {}");
  // What follows where the object should have ended is content again.
  EXPECT_EQ(parse(tools, "<tool_call>{\"name\": \"f\", \"arguments\": {}</tool_call>ok"),
            "ok||\n0:f {}");
  EXPECT_EQ(parse(tools, "<tool_call>{\"name\": \"f\", \"arguments\": {}, \"why\": 1}"),
            ", \"why\": 1}||\n0:f {}");
}

TEST(ReplyParser, ArgumentsStreamAsTheyCome) {
  ReplyParser parser(options_of(ToolCallFormat::kHermes));
  std::vector<ReplyDelta> deltas;
  parser.push("<tool_call>{\"name\": \"f\", \"arguments\": {\"ci", deltas);
  ASSERT_EQ(deltas.size(), 2U);
  EXPECT_EQ(deltas[0].kind, Kind::kToolCall);
  EXPECT_EQ(deltas[0].text, "f");
  EXPECT_EQ(deltas[1].text, "{\"ci");
  deltas.clear();
  parser.push("ty\":", deltas);
  ASSERT_EQ(deltas.size(), 1U);
  EXPECT_EQ(deltas[0].text, "ty\":");
  EXPECT_EQ(deltas[0].call, 0);
}

TEST(ReplyParser, LlamaCalls) {
  const auto tools = ToolCallFormat::kLlama3Json;
  EXPECT_EQ(parse(tools, "{\"name\": \"f\", \"parameters\": {\"a\": \"1\"}}"),
            "||\n0:f {\"a\": \"1\"}");
  EXPECT_EQ(
      parse(tools,
            "{\"name\":\"f\",\"parameters\":{}}; {\"name\":\"get_weather\",\"parameters\":{}}"),
      "||\n0:f {}\n1:get_weather {}");
  EXPECT_EQ(parse(tools, "<|python_tag|>{\"name\": \"g\", \"parameters\": {}}"), "||\n0:g {}");
  EXPECT_EQ(parse(tools, "<|python_tag|>brave_search.call(query=\"a, b\", n=3)"),
            "||\n0:brave_search {\"query\":\"a, b\",\"n\":3}");
  // Somebody's data, a tool that does not exist, code, JSON in the middle of a text.
  for (const std::string text :
       {"{\"name\": \"Bob\", \"parameters\": {}}", "{\"a\": 1}", "<|python_tag|>print(1)",
        "<|python_tag|>x.call(", "See: {\"name\": \"f\", \"parameters\": {}}"}) {
    EXPECT_EQ(parse(tools, text), text + "||");
  }
}

TEST(ReplyParser, MistralCalls) {
  const auto tools = ToolCallFormat::kMistral;
  EXPECT_EQ(
      parse(tools,
            "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \"abcdefghi\"},"
            " {\"name\": \"g\", \"arguments\": {}}]"),
      "||\n0:f {\"a\": 1}\n1:g {}");
  EXPECT_EQ(parse(tools, "[TOOL_CALLS]f[ARGS]{\"a\": 1}[TOOL_CALLS]g{}"),
            "||\n0:f {\"a\": 1}\n1:g {}");
  EXPECT_EQ(parse(tools, "ok[TOOL_CALLS]f[CALL_ID]123456789[ARGS]{}"), "ok||\n0:f {}");
  for (const std::string text : {"[TOOL_CALLS]", "[TOOL_CALLS][", "[TOOL_CALLS][]",
                                 "[TOOL_CALLS] hello there!", "[TOOL_CALLS][{\"a\": 1}]"}) {
    EXPECT_EQ(parse(tools, text), text + "||");
  }
  EXPECT_EQ(parse(tools, "[TOOL_CALLS][{\"name\":\"f\",\"arguments\":{}}, {\"x\": 1}]"),
            ", {\"x\": 1}]||\n0:f {}");
}

TEST(ReplyParser, GemmaCalls) {
  const auto tools = ToolCallFormat::kGemma;
  EXPECT_EQ(
      parse(tools, "<|tool_call>call:f{a:<|\"|>say \"}\"<|\"|>,b:[1,true],c:{d:null}}<tool_call|>"),
      "||\n0:f {\"a\":\"say \\\"}\\\"\",\"b\":[1,true],\"c\":{\"d\":null}}");
  EXPECT_EQ(
      parse(
          tools,
          "Yes. "
          "<start_function_call>call:f{a:<escape>x<end_function_call><escape>}<end_function_call>"),
      "Yes.||\n0:f {\"a\":\"x<end_function_call>\"}");
  for (const std::string text :
       {"<|tool_call>", "<|tool_call>call:f{a:}<tool_call|>", "<|tool_call>call:{}<tool_call|>",
        "<|tool_call>call:f{a:1", "<start_function_call>f{}<end_function_call>"}) {
    EXPECT_EQ(parse(tools, text), text + "||");
  }
}

TEST(ReplyParser, FunctionaryCalls) {
  EXPECT_EQ(parse(ToolCallFormat::kFunctionaryV31,
                  "a <function=f>{\"x\": 1}</function>\n<function=g>{}</function>"),
            "a||\n0:f {\"x\": 1}\n1:g {}");
  EXPECT_EQ(parse(ToolCallFormat::kFunctionaryV31, "<function=f {}>"), "<function=f {}>||");
  EXPECT_EQ(parse(ToolCallFormat::kFunctionaryV32, "all\nHello >>>f\n{\"x\": 1}>>>get_weather\n{}"),
            "Hello||\n0:f {\"x\": 1}\n1:get_weather {}");
  EXPECT_EQ(parse(ToolCallFormat::kFunctionaryV32, "f\n{\"x\": 1}"), "||\n0:f {\"x\": 1}");
  EXPECT_EQ(parse(ToolCallFormat::kFunctionaryV32, "no header at all"), "no header at all||");
}

TEST(ReplyParser, DeepseekCalls) {
  EXPECT_EQ(
      parse(
          ToolCallFormat::kDeepseek,
          "Ok.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": "
          "1}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>g\n```json\n{}\n`"
          "``"
          "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"),
      "Ok.||\n0:f {\"a\": 1}\n1:g {}");
}

TEST(ReplyParser, SplitsReasoning) {
  ReplyParserOptions options = options_of(ToolCallFormat::kHermes, true);
  EXPECT_EQ(parse(options, "<think>\nHm, a < b.\n</think>\n\nYes."), "Yes.|Hm, a < b.|");
  EXPECT_EQ(parse(options, "<think></think>Yes."), "Yes.||");
  EXPECT_EQ(parse(options, "<think>\nnever ends "), "|never ends|");
  EXPECT_EQ(parse(options, "No. <think>x</think>"), "No. <think>x</think>||");
  EXPECT_EQ(parse(options, "<thinking>"), "<thinking>||");
  EXPECT_EQ(
      parse(options, "<think>a</think>\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>"),
      "|a|\n0:f {}");
  options.starts_in_reasoning = true;
  EXPECT_EQ(parse(options, "\nHm.\n</think>\nYes. "), "Yes. |Hm.|");
  EXPECT_EQ(parse(options, ""), "||");
}

TEST(ReplyParser, ASingleCallEndsTheAnswer) {
  ReplyParserOptions options = options_of(ToolCallFormat::kHermes);
  options.single_call = true;
  const std::string call = "<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>";
  EXPECT_EQ(parse(options, "a " + call + call + "b"), "a||\n0:f {}");
  options.format.tools = ToolCallFormat::kMistral;
  EXPECT_EQ(
      parse(options,
            "[TOOL_CALLS][{\"name\":\"f\",\"arguments\":{}},{\"name\":\"g\",\"arguments\":{}}]"),
      "||\n0:f {}");
}

TEST(ReplyParser, HostileRepetitionStaysCheap) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "<tool_call>{\"id\": [";
  EXPECT_EQ(parse_cut(options_of(ToolCallFormat::kHermes), {text}), text + "||");
  std::string calls;
  for (int i = 0; i < kMaxCallsPerReply + 5; ++i)
    calls += "<tool_call>{\"name\":\"f\"}</tool_call>";
  ReplyParser parser(options_of(ToolCallFormat::kHermes));
  std::vector<ReplyDelta> deltas;
  parser.push(calls, deltas);
  parser.finish(deltas);
  EXPECT_EQ(parser.num_calls(), kMaxCallsPerReply);
}

// Random texts out of the formats' own fragments and numbered words: every cut parses alike, and
// every word comes out, once, in order.
TEST(ReplyParserLaw, AnyCutParsesAlikeAndNoWordIsLost) {
  const std::vector<std::string> fragments = {"<tool_call>",
                                              "</tool_call>",
                                              "{\"name\": \"f\"",
                                              ", \"arguments\": ",
                                              "{\"a\": \"",
                                              "\"}",
                                              "{}",
                                              "}",
                                              "\n",
                                              " ",
                                              "<think>",
                                              "</think>",
                                              "<|python_tag|>",
                                              "f.call(",
                                              ")",
                                              ";",
                                              "[TOOL_CALLS]",
                                              "[",
                                              "]",
                                              "[ARGS]",
                                              "get_weather",
                                              "<|tool_call>call:f{",
                                              "a:<|\"|>",
                                              "<|\"|>",
                                              "<tool_call|>",
                                              "<function=f>",
                                              "</function>",
                                              ">>>f\n",
                                              ">>>all\n",
                                              "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n",
                                              "```json\n",
                                              "```",
                                              "<｜tool▁call▁end｜>",
                                              "<",
                                              "é",
                                              "\\",
                                              "\""};
  std::mt19937 random(7);
  const auto pick = [&](size_t below) { return static_cast<size_t>(random() % below); };
  for (int round = 0; round < 4000; ++round) {
    const auto tools = static_cast<ToolCallFormat>(pick(8));
    const ReplyParserOptions options = options_of(tools, pick(2) == 0);
    std::string text;
    int num_words = 0;
    for (size_t i = 0; i < 1 + pick(14); ++i) {
      text += pick(4) == 0 ? "w" + std::to_string(num_words++) + "w"
                           : fragments[pick(fragments.size())];
    }
    const std::string whole = parse_cut(options, {text});
    EXPECT_EQ(parse_cut(options, bytes_of(text)), whole) << text;
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      pieces.push_back(text.substr(at, 1 + pick(9)));
      at += pieces.back().size();
    }
    EXPECT_EQ(parse_cut(options, pieces), whole) << text;
    for (int i = 0; i < num_words; ++i) {
      const std::string word = "w" + std::to_string(i) + "w";
      const size_t at = whole.find(word);
      EXPECT_NE(at, std::string::npos) << word << " of " << text << " is not in " << whole;
      EXPECT_EQ(whole.find(word, at + 1), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace twostroke

// ReplyFormat: how a model writes what is not plain text: its reasoning and its calls of tools.
// Chosen from the chat template's text, which shows the model's own words for both, or by name.
// Plain data; knows no parser.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace twostroke {

enum class ToolCallFormat {
  kNone,
  kHermes,      // <tool_call>{"name": …, "arguments": {…}}</tool_call>: Hermes, Qwen 2.5 and 3
  kLlama3Json,  // {"name": …, "parameters": {…}}, or either form after <|python_tag|>
  kMistral,     // [TOOL_CALLS][{"name": …, "arguments": {…}}], [TOOL_CALLS]NAME[ARGS]{…}
  kGemma,       // <|tool_call>call:NAME{key:<|"|>text<|"|>}<tool_call|>, and FunctionGemma's words
  kFunctionaryV31,  // <function=NAME>{…}</function>
  kFunctionaryV32,  // >>>NAME\n{…}; the recipient "all" is content
  kDeepseek,  // <｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME\n```json\n{…}\n```<｜tool▁call▁end｜>
};

// The text around a model's reasoning; empty: it has none that can be told apart.
struct ReasoningTags {
  std::string_view open, close;
  bool empty() const { return close.empty(); }
};

struct ReplyFormat {
  ToolCallFormat tools = ToolCallFormat::kNone;
  ReasoningTags reasoning;
};

// What --tool-call-parser and --reasoning-parser take besides "auto" and "none".
std::vector<std::string_view> tool_call_format_names();
std::vector<std::string_view> reasoning_format_names();
std::string_view tool_call_format_name(ToolCallFormat format);

// By names: "auto" looks at the template; kInvalidArgument (fields "tool-call-parser" and
// "reasoning-parser") lists the known ones. With "auto", a template that knows no tools gets
// kHermes, the format that add_tools_to_messages() explains to the model.
Result<ReplyFormat> choose_reply_format(std::string_view template_source,
                                        std::string_view tool_call_parser,
                                        std::string_view reasoning_parser);

// The texts whose tokens an answer in this format needs to see spelled out, though they are control
// tokens in some vocabularies.
std::vector<std::string_view> marker_texts(const ReplyFormat& format);

}  // namespace twostroke

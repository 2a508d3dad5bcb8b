#include "prompt/reply_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace twostroke {
namespace {

struct NamedTools {
  std::string_view name;
  ToolCallFormat format;
};

constexpr std::array kTools = {
    NamedTools{"hermes", ToolCallFormat::kHermes},
    NamedTools{"llama3_json", ToolCallFormat::kLlama3Json},
    NamedTools{"mistral", ToolCallFormat::kMistral},
    NamedTools{"gemma", ToolCallFormat::kGemma},
    NamedTools{"functionary_v31", ToolCallFormat::kFunctionaryV31},
    NamedTools{"functionary_v32", ToolCallFormat::kFunctionaryV32},
    NamedTools{"deepseek", ToolCallFormat::kDeepseek},
};

// What a template says when it writes the format's calls. The first that is found counts, so the
// more particular text comes first.
struct Trace {
  std::string_view text;
  ToolCallFormat format;
};
constexpr std::array kTraces = {
    Trace{"<｜tool▁call▁begin｜>", ToolCallFormat::kDeepseek},
    Trace{"[TOOL_CALLS]", ToolCallFormat::kMistral},
    Trace{"<|tool_call>call:", ToolCallFormat::kGemma},
    Trace{"<start_function_call>", ToolCallFormat::kGemma},
    Trace{">>>all", ToolCallFormat::kFunctionaryV32},
    Trace{"<function=", ToolCallFormat::kFunctionaryV31},
    Trace{"{start_tag}={function_name}", ToolCallFormat::kFunctionaryV31},
    Trace{"<tool_call>", ToolCallFormat::kHermes},
    Trace{"<|python_tag|>", ToolCallFormat::kLlama3Json},
    Trace{"\"parameters\": dictionary of argument", ToolCallFormat::kLlama3Json},
};

struct NamedReasoning {
  std::string_view name;
  ReasoningTags tags;
};
constexpr std::array kReasoning = {
    NamedReasoning{"think", {"<think>", "</think>"}},
    NamedReasoning{"deepseek", {"<think>", "</think>"}},  // llama-server's name for the same
    NamedReasoning{"mistral", {"[THINK]", "[/THINK]"}},
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

ToolCallFormat detect_tools(std::string_view source) {
  for (const Trace& trace : kTraces) {
    if (contains(source, trace.text)) return trace.format;
  }
  return ToolCallFormat::kHermes;
}

ReasoningTags detect_reasoning(std::string_view source) {
  for (const NamedReasoning& it : kReasoning) {
    if (contains(source, it.tags.close) || contains(source, it.tags.open)) return it.tags;
  }
  return {};
}

Error unknown_name(std::string_view field, std::string_view name,
                   const std::vector<std::string_view>& known) {
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("{} must be auto, none, {}, not {}", field, fmt::join(known, ", "), name),
      std::string(field)};
}

}  // namespace

std::vector<std::string_view> tool_call_format_names() {
  std::vector<std::string_view> names;
  for (const NamedTools& it : kTools) names.push_back(it.name);
  return names;
}

std::vector<std::string_view> reasoning_format_names() {
  std::vector<std::string_view> names;
  for (const NamedReasoning& it : kReasoning) names.push_back(it.name);
  return names;
}

std::string_view tool_call_format_name(ToolCallFormat format) {
  const auto it = std::ranges::find(kTools, format, &NamedTools::format);
  return it == kTools.end() ? "none" : it->name;
}

Result<ReplyFormat> choose_reply_format(std::string_view template_source,
                                        std::string_view tool_call_parser,
                                        std::string_view reasoning_parser) {
  ReplyFormat format;
  if (tool_call_parser == "auto") {
    format.tools = detect_tools(template_source);
  } else if (tool_call_parser != "none") {
    const auto it = std::ranges::find(kTools, tool_call_parser, &NamedTools::name);
    if (it == kTools.end())
      return unknown_name("tool-call-parser", tool_call_parser, tool_call_format_names());
    format.tools = it->format;
  }
  if (reasoning_parser == "auto") {
    format.reasoning = detect_reasoning(template_source);
  } else if (reasoning_parser != "none") {
    const auto it = std::ranges::find(kReasoning, reasoning_parser, &NamedReasoning::name);
    if (it == kReasoning.end())
      return unknown_name("reasoning-parser", reasoning_parser, reasoning_format_names());
    format.reasoning = it->tags;
  }
  return format;
}

std::vector<std::string_view> marker_texts(const ReplyFormat& format) {
  std::vector<std::string_view> texts;
  if (!format.reasoning.empty()) texts = {format.reasoning.open, format.reasoning.close};
  const auto add = [&](std::initializer_list<std::string_view> more) {
    texts.insert(texts.end(), more);
  };
  switch (format.tools) {
    case ToolCallFormat::kHermes:
      add({"<tool_call>", "</tool_call>"});
      break;
    case ToolCallFormat::kLlama3Json:
      add({"<|python_tag|>"});
      break;
    case ToolCallFormat::kMistral:
      add({"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"});
      break;
    case ToolCallFormat::kGemma:
      add({"<|tool_call>", "<tool_call|>", "<|\"|>", "<start_function_call>", "<end_function_call>",
           "<escape>"});
      break;
    case ToolCallFormat::kDeepseek:
      add({"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>",
           "<｜tool▁call▁end｜>", "<｜tool▁sep｜>"});
      break;
    case ToolCallFormat::kFunctionaryV31:
    case ToolCallFormat::kFunctionaryV32:
    case ToolCallFormat::kNone:
      break;
  }
  return texts;
}

}  // namespace twostroke

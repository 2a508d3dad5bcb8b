#include "measure/workload/prompt_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "measure/workload/text_lines.h"

namespace twostroke {
namespace {

constexpr size_t kMaxPrompts = 1'000'000;

int count_words(std::string_view text) {
  int words = 0;
  bool in_word = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank && !in_word) ++words;
    in_word = !blank;
  }
  return words;
}

Json message(const char* role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

// Null messages when there is nothing to ask.
FilePrompt from_conversation(const Json& turns) {
  FilePrompt prompt;
  for (const Json& turn : turns) {
    std::string from = json_string(turn, "from");
    if (from.empty()) from = json_string(turn, "role");
    std::string value = json_string(turn, "value");
    if (value.empty()) value = json_string(turn, "content");
    const bool is_answer = from == "gpt" || from == "assistant" || from == "chatgpt";
    if (is_answer && !prompt.messages.is_null()) {
      prompt.answer_words = count_words(value);
      return prompt;
    }
    if (value.empty()) continue;
    if (from == "system" && prompt.messages.is_null()) {
      prompt.messages = Json::array({message("system", value)});
    } else if (from == "human" || from == "user") {
      if (prompt.messages.is_null()) prompt.messages = Json::array();
      prompt.messages.push_back(message("user", value));
    }
  }
  return prompt;
}

Result<FilePrompt> from_object(const Json& entry, const std::string& where) {
  if (!entry.is_object()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: expected an object, found {}", where, entry.type_name()), "file"};
  }
  const Json& conversation = json_member(entry, "conversations");
  if (conversation.is_array()) return from_conversation(conversation);
  FilePrompt prompt;
  const Json& messages = json_member(entry, "messages");
  std::string text = json_string(entry, "prompt");
  if (text.empty()) text = json_string(entry, "text");
  if (messages.is_array() && !messages.empty()) {
    prompt.messages = messages;
  } else if (!text.empty()) {
    prompt.messages = Json::array({message("user", text)});
  } else {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: expected 'prompt', 'messages' or 'conversations'", where),
                 "file"};
  }
  const int64_t output = json_int(entry, "output_tokens", json_int(entry, "max_tokens", 0));
  prompt.output_tokens = static_cast<int>(std::clamp<int64_t>(output, 0, 1 << 24));
  for (const char* key : {"tools", "tool_choice", "response_format", "documents"}) {
    if (entry.contains(key)) prompt.extra[key] = entry[key];
  }
  return prompt;
}

Status add(std::vector<FilePrompt>& prompts, const Json& entry, const std::string& where) {
  FilePrompt prompt = TRY(from_object(entry, where));
  if (prompt.messages.is_null()) return {};
  if (prompts.size() >= kMaxPrompts) {
    return Error{ErrorCode::kTooLarge, fmt::format("more than {} prompts", kMaxPrompts), "file"};
  }
  prompts.push_back(std::move(prompt));
  return {};
}

}  // namespace

Result<std::vector<FilePrompt>> parse_prompt_file(std::string_view text) {
  std::vector<FilePrompt> prompts;
  const std::vector<TextLine> lines = text_lines(text);
  if (!lines.empty() && lines.front().text.front() == '[') {
    const Json all = TRY(parse_json_text(text));
    size_t number = 0;
    for (const Json& entry : all) TRY(add(prompts, entry, fmt::format("entry {}", ++number)));
  } else {
    for (const TextLine& line : lines) {
      const std::string where = fmt::format("line {}", line.number);
      const auto entry = parse_json_text(line.text);
      if (!entry.ok()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: {}", where, entry.error().message), "file"};
      }
      TRY(add(prompts, *entry, where));
    }
  }
  if (prompts.empty()) {
    return Error{ErrorCode::kInvalidArgument, "there is no prompt in the file", "file"};
  }
  return prompts;
}

}  // namespace twostroke

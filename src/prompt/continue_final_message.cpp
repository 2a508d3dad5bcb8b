#include "prompt/continue_final_message.h"

#include <nlohmann/json.hpp>
#include <string_view>

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSpaces = " \t\r\n\f\v";

std::string_view trim_left(std::string_view text) {
  const size_t start = text.find_first_not_of(kSpaces);
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

std::string_view trim_right(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

// The message's string, or its last text part; empty when there is none.
std::string_view final_text(const Json& messages) {
  if (!messages.is_array() || messages.empty() || !messages.back().is_object()) return {};
  const auto content = messages.back().find("content");
  if (content == messages.back().end()) return {};
  if (content->is_string()) return content->get_ref<const std::string&>();
  if (!content->is_array()) return {};
  for (auto part = content->rbegin(); part != content->rend(); ++part) {
    if (!part->is_object()) continue;
    const auto text = part->find("text");
    if (text != part->end() && text->is_string()) return text->get_ref<const std::string&>();
  }
  return {};
}

}  // namespace

Result<std::string> end_at_final_message(std::string prompt, const Json& messages) {
  const std::string_view with_tail = trim_left(final_text(messages));
  const std::string_view trimmed = trim_right(with_tail);
  if (trimmed.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the last message has no text to go on with",
                 "continue_final_message"};
  }
  const size_t start = prompt.rfind(trimmed);
  if (start == std::string::npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "the chat template changes the last message, so it cannot be continued",
                 "continue_final_message"};
  }
  // Trailing space belongs to the message where the template kept it.
  const bool kept_tail = prompt.compare(start, with_tail.size(), with_tail) == 0;
  prompt.resize(start + (kept_tail ? with_tail.size() : trimmed.size()));
  return prompt;
}

}  // namespace twostroke

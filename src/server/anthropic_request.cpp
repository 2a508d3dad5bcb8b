#include "server/anthropic_request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "server/request_fields.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Error unsupported(const std::string& field, const std::string& message) {
  return Error{ErrorCode::kUnsupported, message, field};
}

Result<std::string> read_type(const json& block, const std::string& where) {
  if (!block.is_object()) return wrong_type(where, "an object", block);
  const json* type = find_field(block, "type");
  if (type == nullptr) return invalid_field(where + ".type", where + " has no type");
  if (!type->is_string()) return wrong_type(where + ".type", "a string", *type);
  return type->get<std::string>();
}

Result<std::string> read_text(const json& block, const char* name, const std::string& where) {
  const json* text = find_field(block, name);
  const std::string field = fmt::format("{}.{}", where, name);
  if (text == nullptr) return invalid_field(field, field + " is missing");
  if (!text->is_string()) return wrong_type(field, "a string", *text);
  return text->get<std::string>();
}

// A string, or text blocks.
Result<std::string> read_plain_text(const json& content, const std::string& where) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return wrong_type(where, "a string or an array of blocks", content);
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string block = fmt::format("{}[{}]", where, i);
    const std::string type = TRY(read_type(content[i], block));
    if (type != "text")
      return unsupported(block,
                         fmt::format("{} is of type {}: only text is read here", block, type));
    text += TRY(read_text(content[i], "text", block));
  }
  return text;
}

// The blocks of one message, sorted by what a chat template wants to see.
struct MessageParts {
  std::string text, reasoning;
  json calls = json::array();
  json results = json::array();  // tool messages
};

Status add_block(const json& block, const std::string& where, MessageParts& parts) {
  const std::string type = TRY(read_type(block, where));
  if (type == "text") {
    parts.text += TRY(read_text(block, "text", where));
  } else if (type == "thinking") {
    parts.reasoning += TRY(read_text(block, "thinking", where));
  } else if (type == "redacted_thinking") {
    return {};
  } else if (type == "tool_use") {
    const std::string id = TRY(read_text(block, "id", where));
    const std::string name = TRY(read_text(block, "name", where));
    const json* input = find_field(block, "input");
    if (input != nullptr && !input->is_object())
      return wrong_type(where + ".input", "an object", *input);
    json function = {{"name", name}};
    function["arguments"] =
        input == nullptr ? "{}" : input->dump(-1, ' ', false, json::error_handler_t::replace);
    parts.calls.push_back({{"id", id}, {"type", "function"}, {"function", std::move(function)}});
  } else if (type == "tool_result") {
    const std::string id = TRY(read_text(block, "tool_use_id", where));
    const json* content = find_field(block, "content");
    std::string text;
    if (content != nullptr) text = TRY(read_plain_text(*content, where + ".content"));
    parts.results.push_back({{"role", "tool"}, {"tool_call_id", id}, {"content", text}});
  } else {
    return unsupported(where, fmt::format("{} is of type {}: this model reads text only", where,
                                          json(type).dump()));
  }
  return {};
}

Status add_message(const json& message, const std::string& where, json& messages) {
  if (!message.is_object()) return wrong_type(where, "an object", message);
  const std::string role = TRY(read_text(message, "role", where));
  if (role != "user" && role != "assistant" && role != "system") {
    return invalid_field(
        where + ".role",
        fmt::format("{}.role must be \"user\" or \"assistant\", not {}", where, json(role).dump()));
  }
  const json* content = find_field(message, "content");
  const std::string field = where + ".content";
  if (content == nullptr) return invalid_field(field, field + " is missing");
  MessageParts parts;
  if (content->is_string()) {
    parts.text = content->get<std::string>();
  } else if (content->is_array()) {
    for (size_t i = 0; i < content->size(); ++i) {
      TRY(add_block((*content)[i], fmt::format("{}[{}]", field, i), parts));
    }
  } else {
    return wrong_type(field, "a string or an array of blocks", *content);
  }
  for (json& result : parts.results) messages.push_back(std::move(result));
  if (!parts.results.empty() && parts.text.empty()) return {};
  json out = {{"role", role}, {"content", parts.text}};
  if (!parts.reasoning.empty()) out["reasoning_content"] = parts.reasoning;
  if (!parts.calls.empty()) out["tool_calls"] = std::move(parts.calls);
  messages.push_back(std::move(out));
  return {};
}

Status add_messages(const json& body, json& chat) {
  json messages = json::array();
  if (const json* system = find_field(body, "system"); system != nullptr) {
    const std::string text = TRY(read_plain_text(*system, "system"));
    messages.push_back({{"role", "system"}, {"content", text}});
  }
  const json* field = find_field(body, "messages");
  if (field == nullptr) return invalid_field("messages", "messages is missing");
  if (!field->is_array()) return wrong_type("messages", "an array", *field);
  if (field->empty()) return invalid_field("messages", "messages is empty");
  for (size_t i = 0; i < field->size(); ++i) {
    TRY(add_message((*field)[i], fmt::format("messages[{}]", i), messages));
  }
  // The answer goes on where the client's own words for the assistant end.
  const json& last = messages.back();
  if (last["role"] == "assistant" && !last.contains("tool_calls") && last["content"] != "") {
    chat["continue_final_message"] = true;
  }
  chat["messages"] = std::move(messages);
  return {};
}

Status add_tools(const json& body, json& chat) {
  const json* field = find_field(body, "tools");
  if (field == nullptr) return {};
  if (!field->is_array()) return wrong_type("tools", "an array", *field);
  json tools = json::array();
  for (size_t i = 0; i < field->size(); ++i) {
    const json& tool = (*field)[i];
    const std::string where = fmt::format("tools[{}]", i);
    if (!tool.is_object()) return wrong_type(where, "an object", tool);
    if (const json* type = find_field(tool, "type"); type != nullptr && *type != "custom") {
      return unsupported(where + ".type",
                         fmt::format("{}.type must be \"custom\": there are no tools "
                                     "of the server's own",
                                     where));
    }
    json function = json::object();
    for (const auto& [from, to] :
         {std::pair{"name", "name"}, std::pair{"description", "description"},
          std::pair{"input_schema", "parameters"}}) {
      if (const json* value = find_field(tool, from)) function[to] = *value;
    }
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  chat["tools"] = std::move(tools);
  return {};
}

Status add_tool_choice(const json& body, json& chat) {
  const json* choice = find_field(body, "tool_choice");
  if (choice == nullptr) return {};
  const std::string type = TRY(read_type(*choice, "tool_choice"));
  if (TRY(read_bool(*choice, "disable_parallel_tool_use")).value_or(false)) {
    chat["parallel_tool_calls"] = false;
  }
  if (type == "auto" || type == "none") {
    chat["tool_choice"] = type;
  } else if (type == "any") {
    chat["tool_choice"] = "required";
  } else if (type == "tool") {
    json function = json::object();
    function["name"] = TRY(read_text(*choice, "name", "tool_choice"));
    chat["tool_choice"] = {{"type", "function"}, {"function", std::move(function)}};
  } else {
    return invalid_field("tool_choice.type",
                         "tool_choice.type must be \"auto\", \"any\", \"tool\" or \"none\"");
  }
  return {};
}

// {"type": "enabled" | "disabled"}: a variable of the templates that can do both.
Status add_thinking(const json& body, json& chat) {
  const json* thinking = find_field(body, "thinking");
  if (thinking == nullptr) return {};
  const std::string type = TRY(read_type(*thinking, "thinking"));
  if (type != "enabled" && type != "disabled" && type != "adaptive") {
    return invalid_field("thinking.type",
                         "thinking.type must be \"enabled\", \"disabled\" or \"adaptive\"");
  }
  if (type == "adaptive") return {};
  json& kwargs = chat["chat_template_kwargs"];
  if (!kwargs.is_object()) kwargs = json::object();
  kwargs["enable_thinking"] = type == "enabled";
  return {};
}

}  // namespace

Result<json> chat_body_of_messages(const json& body, bool counting) {
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  // What both APIs call the same, and what is ours alone, goes through; the rest is translated.
  json chat = body;
  for (const char* name :
       {"messages", "system", "tools", "tool_choice", "stop_sequences", "metadata", "thinking",
        "max_tokens", "max_completion_tokens", "n", "stop", "logprobs", "top_logprobs",
        "stream_options", "response_format", "continue_final_message", "add_generation_prompt",
        "return_progress", "reasoning_format"}) {
    chat.erase(name);
  }
  const auto max_tokens = TRY(read_int(body, "max_tokens", 1, kMaxInt));
  if (max_tokens) {
    chat["max_tokens"] = *max_tokens;
  } else if (!counting) {
    return invalid_field("max_tokens", "max_tokens is missing");
  }
  if (const json* stop = find_field(body, "stop_sequences"); stop != nullptr) {
    if (!stop->is_array()) return wrong_type("stop_sequences", "an array of strings", *stop);
    chat["stop"] = *stop;
  }
  TRY(add_messages(body, chat));
  TRY(add_tools(body, chat));
  TRY(add_tool_choice(body, chat));
  TRY(add_thinking(body, chat));
  return chat;
}

Error in_messages_words(Error error) {
  const auto replace = [](std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  };
  for (std::string* text : {&error.field, &error.message}) {
    replace(*text, ".function.parameters", ".input_schema");
    replace(*text, ".function", "");
    if (text->starts_with("stop") && !text->starts_with("stop_"))
      text->replace(0, 4, "stop_sequences");
  }
  return error;
}

}  // namespace twostroke

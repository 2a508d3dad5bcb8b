#include "server/responses_request.h"

#include <fmt/format.h>

#include <utility>

#include "server/request_fields.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Error unsupported(const std::string& field, const std::string& message) {
  return Error{ErrorCode::kUnsupported, message, field};
}

Result<std::string> read_text(const json& item, const char* name, const std::string& where) {
  const json* text = find_field(item, name);
  const std::string field = fmt::format("{}.{}", where, name);
  if (text == nullptr) return invalid_field(field, field + " is missing");
  if (!text->is_string()) return wrong_type(field, "a string", *text);
  return text->get<std::string>();
}

// A string, or parts that hold text.
Result<std::string> read_content(const json& content, const std::string& where) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return wrong_type(where, "a string or an array of parts", content);
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string part = fmt::format("{}[{}]", where, i);
    if (!content[i].is_object()) return wrong_type(part, "an object", content[i]);
    const std::string type = TRY(read_text(content[i], "type", part));
    if (type == "refusal") {
      text += TRY(read_text(content[i], "refusal", part));
    } else if (type == "input_text" || type == "output_text" || type == "text" ||
               type == "summary_text" || type == "reasoning_text") {
      text += TRY(read_text(content[i], "text", part));
    } else {
      return unsupported(part, fmt::format("{} is of type {}: this model reads text only", part,
                                           json(type).dump()));
    }
  }
  return text;
}

// Items become messages: calls that follow each other, and the text before them, are one.
class ItemReader {
 public:
  Status add(const json& item, const std::string& where) {
    if (!item.is_object()) return wrong_type(where, "an object", item);
    const json* type = find_field(item, "type");
    if (type != nullptr && !type->is_string())
      return wrong_type(where + ".type", "a string", *type);
    const std::string name = type == nullptr ? "message" : type->get<std::string>();
    if (name == "message") return add_message(item, where);
    if (name == "function_call") return add_call(item, where);
    if (name == "function_call_output") return add_output(item, where);
    if (name == "reasoning") return add_reasoning(item, where);
    return unsupported(where + ".type", fmt::format("{} is of type {}, which is not supported",
                                                    where, json(name).dump()));
  }
  json take() && { return std::move(messages_); }

 private:
  Status add_message(const json& item, const std::string& where) {
    std::string role = TRY(read_text(item, "role", where));
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant") {
      return invalid_field(where + ".role",
                           fmt::format("{}.role must be \"user\", \"assistant\", \"system\" or "
                                       "\"developer\", not {}",
                                       where, json(role).dump()));
    }
    const json* content = find_field(item, "content");
    if (content == nullptr) return invalid_field(where + ".content", where + ".content is missing");
    const std::string text = TRY(read_content(*content, where + ".content"));
    json message = {{"role", role}, {"content", text}};
    if (role == "assistant") attach_reasoning(message);
    messages_.push_back(std::move(message));
    return {};
  }

  Status add_call(const json& item, const std::string& where) {
    const std::string name = TRY(read_text(item, "name", where));
    const std::string arguments = TRY(read_text(item, "arguments", where));
    const std::string id = TRY(read_text(item, "call_id", where));
    json call = {
        {"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}};
    if (messages_.empty() || messages_.back()["role"] != "assistant") {
      json message = {{"role", "assistant"}, {"content", ""}};
      attach_reasoning(message);
      messages_.push_back(std::move(message));
    }
    messages_.back()["tool_calls"].push_back(std::move(call));
    return {};
  }

  Status add_output(const json& item, const std::string& where) {
    const std::string id = TRY(read_text(item, "call_id", where));
    const json* output = find_field(item, "output");
    if (output == nullptr) return invalid_field(where + ".output", where + ".output is missing");
    const std::string text = TRY(read_content(*output, where + ".output"));
    messages_.push_back({{"role", "tool"}, {"tool_call_id", id}, {"content", text}});
    return {};
  }

  // Belongs to what the assistant says next.
  Status add_reasoning(const json& item, const std::string& where) {
    for (const char* name : {"content", "summary"}) {
      const json* content = find_field(item, name);
      if (content == nullptr || !reasoning_.empty()) continue;
      reasoning_ = TRY(read_content(*content, fmt::format("{}.{}", where, name)));
    }
    return {};
  }
  void attach_reasoning(json& message) {
    if (!reasoning_.empty()) message["reasoning_content"] = std::exchange(reasoning_, {});
  }

  json messages_ = json::array();
  std::string reasoning_;
};

Result<json> read_input(const json& body) {
  const json* input = find_field(body, "input");
  if (input == nullptr) return invalid_field("input", "input is missing");
  if (input->is_string()) {
    return json::array({{{"role", "user"}, {"content", *input}}});
  }
  if (!input->is_array()) return wrong_type("input", "a string or an array of items", *input);
  if (input->empty()) return invalid_field("input", "input is empty");
  ItemReader reader;
  for (size_t i = 0; i < input->size(); ++i) {
    TRY(reader.add((*input)[i], fmt::format("input[{}]", i)));
  }
  json messages = std::move(reader).take();
  if (messages.empty()) return invalid_field("input", "input has nothing to answer");
  return messages;
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
    if (tool.value("type", json()) != "function") {
      return unsupported(where + ".type", where +
                                              ".type must be \"function\": there are no tools of "
                                              "the server's own");
    }
    json function = tool;
    function.erase("type");
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  chat["tools"] = std::move(tools);
  return {};
}

Status add_tool_choice(const json& body, json& chat) {
  const json* choice = find_field(body, "tool_choice");
  if (choice == nullptr) return {};
  chat["tool_choice"] = *choice;
  if (!choice->is_object() || choice->value("type", json()) != "function") return {};
  json function = json::object();
  function["name"] = TRY(read_text(*choice, "name", "tool_choice"));
  chat["tool_choice"] = {{"type", "function"}, {"function", std::move(function)}};
  return {};
}

// text.format has the schema's fields where response_format has an object of them.
Status add_text_format(const json& body, json& chat) {
  const json* text = find_field(body, "text");
  if (text == nullptr) return {};
  if (!text->is_object()) return wrong_type("text", "an object", *text);
  const json* format = find_field(*text, "format");
  if (format == nullptr) return {};
  if (!format->is_object()) return wrong_type("text.format", "an object", *format);
  if (format->value("type", json()) != "json_schema") {
    chat["response_format"] = *format;
    return {};
  }
  json schema = *format;
  schema.erase("type");
  chat["response_format"] = {{"type", "json_schema"}, {"json_schema", std::move(schema)}};
  return {};
}

// What would change the meaning and is not there.
Status refuse_unsupported(const json& body) {
  if (TRY(read_bool(body, "background")).value_or(false))
    return unsupported("background", "background responses are not supported");
  if (const auto truncation = TRY(read_string(body, "truncation", 64));
      truncation && *truncation != "disabled") {
    return unsupported("truncation", "truncation can only be \"disabled\"");
  }
  for (const char* name : {"conversation", "prompt"}) {
    if (find_field(body, name) != nullptr)
      return unsupported(name, fmt::format("{} is not supported", name));
  }
  return {};
}

Result<json> echo_of(const json& body, const json& chat) {
  json echo = {{"instructions", nullptr},
               {"max_output_tokens", nullptr},
               {"max_tool_calls", nullptr},
               {"metadata", json::object()},
               {"parallel_tool_calls", true},
               {"previous_response_id", nullptr},
               {"temperature", 1.0},
               {"text", {{"format", {{"type", "text"}}}}},
               {"tool_choice", "auto"},
               {"tools", json::array()},
               {"top_p", 1.0},
               {"truncation", "disabled"},
               {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
               {"user", nullptr}};
  for (const auto& [name, value] : echo.items()) {
    if (const json* given = find_field(body, name.c_str())) value = *given;
  }
  const json* metadata = find_field(body, "metadata");
  if (metadata != nullptr && !metadata->is_object())
    return wrong_type("metadata", "an object", *metadata);
  if (metadata != nullptr && metadata->size() > 16)
    return invalid_field("metadata",
                         fmt::format("metadata has {} entries; the limit is 16", metadata->size()));
  if (!chat.contains("response_format")) echo["text"] = {{"format", {{"type", "text"}}}};
  return echo;
}

}  // namespace

Result<ResponsesRequest> parse_responses_request(const json& body) {
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  TRY(refuse_unsupported(body));
  ResponsesRequest request;
  // What both APIs call the same, and what is ours alone, goes through; the rest is translated.
  json chat = body;
  for (const char* name : {"input",
                           "instructions",
                           "text",
                           "tools",
                           "tool_choice",
                           "max_output_tokens",
                           "previous_response_id",
                           "store",
                           "metadata",
                           "include",
                           "reasoning",
                           "truncation",
                           "background",
                           "messages",
                           "max_tokens",
                           "max_completion_tokens",
                           "n",
                           "logprobs",
                           "top_logprobs",
                           "stream_options",
                           "response_format",
                           "continue_final_message",
                           "add_generation_prompt",
                           "return_progress",
                           "reasoning_format"}) {
    chat.erase(name);
  }
  if (const auto max = TRY(read_int(body, "max_output_tokens", 1, kMaxInt)))
    chat["max_tokens"] = *max;
  request.messages = TRY(read_input(body));
  json messages = json::array();
  if (const auto instructions = TRY(read_string(body, "instructions", SIZE_MAX)))
    messages.push_back({{"role", "system"}, {"content", *instructions}});
  for (const json& message : request.messages) messages.push_back(message);
  chat["messages"] = std::move(messages);
  TRY(add_tools(body, chat));
  TRY(add_tool_choice(body, chat));
  TRY(add_text_format(body, chat));
  request.previous_response_id = TRY(read_string(body, "previous_response_id", 256)).value_or("");
  TRY(read_into(body, "store", request.store));
  request.echo = TRY(echo_of(body, chat));
  request.chat = std::move(chat);
  return request;
}

void add_history(const json& history, ResponsesRequest& request) {
  json& messages = request.chat["messages"];
  const bool has_instructions = messages.size() > request.messages.size();
  json all = json::array();
  if (has_instructions) all.push_back(messages.front());
  json conversation = history;
  for (const json& message : request.messages) conversation.push_back(message);
  for (const json& message : conversation) all.push_back(message);
  messages = std::move(all);
  request.messages = std::move(conversation);
}

Error in_responses_words(Error error) {
  const auto replace = [](std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  };
  for (std::string* text : {&error.field, &error.message}) {
    replace(*text, ".function", "");
    replace(*text, "response_format.json_schema", "text.format");
    replace(*text, "response_format", "text.format");
    if (text->starts_with("max_tokens")) text->replace(0, 10, "max_output_tokens");
    if (*text == "messages") *text = "input";
  }
  return error;
}

}  // namespace twostroke

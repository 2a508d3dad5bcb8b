#include "prompt/tool_prompt.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNeedle = "needle_7c2e";

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end()) return {};
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  for (const Json& part : *content) {
    if (part.is_object() && part.contains("text") && part["text"].is_string())
      text += part["text"].get_ref<const std::string&>();
  }
  return text;
}

std::string explanation_of(const Json& tools) {
  std::string text =
      "You may call functions to help with the user's request. These are their signatures:\n"
      "<tools>\n";
  for (const Json& tool : tools) text += dump(tool) + "\n";
  return text +
         "</tools>\n"
         "To call one, answer with its name and arguments as JSON between tags:\n"
         "<tool_call>\n{\"name\": \"the_name\", \"arguments\": {}}\n</tool_call>";
}

// Calls as the model is told to write them.
Json with_calls_as_text(const Json& message) {
  std::string text = text_of(message);
  for (const Json& call : message.at("tool_calls")) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
    const Json& function = call["function"];
    const Json arguments = function.value("arguments", Json::object());
    text += fmt::format("{}<tool_call>\n{{\"name\": {}, \"arguments\": {}}}\n</tool_call>",
                        text.empty() ? "" : "\n", dump(function.value("name", Json(""))),
                        arguments.is_string() ? arguments.get<std::string>() : dump(arguments));
  }
  return {{"role", "assistant"}, {"content", text}};
}

bool has_calls(const Json& message) {
  const auto calls = message.find("tool_calls");
  return calls != message.end() && calls->is_array() && !calls->empty();
}

std::string role_of(const Json& message) {
  return message.is_object() ? message.value("role", std::string()) : std::string();
}

// Results that follow each other are one message: roles must alternate for many templates.
void add_result(const Json& message, bool continues, Json& messages) {
  const std::string result = fmt::format("<tool_response>\n{}\n</tool_response>", text_of(message));
  if (continues) {
    Json& content = messages.back()["content"];
    content = content.get<std::string>() + "\n" + result;
  } else {
    messages.push_back({{"role", "user"}, {"content", result}});
  }
}

}  // namespace

bool takes_tools(const RenderFunction& render) {
  Json request = {{"messages", Json::array({{{"role", "user"}, {"content", "hello"}}})},
                  {"add_generation_prompt", true}};
  Json function = {{"name", kNeedle}, {"description", "d"}};
  function["parameters"] = {{"type", "object"}, {"properties", Json::object()}};
  request["tools"] = Json::array({{{"type", "function"}, {"function", std::move(function)}}});
  const Result<std::string> text = render(request);
  return text.ok() && text->find(kNeedle) != std::string::npos;
}

Json explain_tools(const Json& request) {
  Json out = request;
  Json messages = Json::array();
  const Json* tools = request.contains("tools") ? &request["tools"] : nullptr;
  std::string explanation =
      tools != nullptr && tools->is_array() && !tools->empty() ? explanation_of(*tools) : "";
  bool in_results = false;
  for (const Json& message : request.at("messages")) {
    const std::string role = role_of(message);
    if (messages.empty() && !explanation.empty()) {
      const std::string before = role == "system" ? text_of(message) + "\n\n" : "";
      messages.push_back({{"role", "system"}, {"content", before + explanation}});
      if (role == "system") continue;
    }
    if (role == "tool") {
      add_result(message, in_results, messages);
    } else {
      messages.push_back(role == "assistant" && has_calls(message) ? with_calls_as_text(message)
                                                                   : message);
    }
    in_results = role == "tool";
  }
  out["messages"] = std::move(messages);
  out.erase("tools");
  return out;
}

}  // namespace twostroke

#include "prompt/message_shape.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNeedle = "needle-5d1f";

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Json conversation(Json content, bool with_system) {
  Json messages = Json::array();
  if (with_system) messages.push_back({{"role", "system"}, {"content", content}});
  messages.push_back({{"role", "user"}, {"content", std::move(content)}});
  return {{"messages", std::move(messages)}, {"add_generation_prompt", true}};
}

bool is_runaway(const Result<std::string>& text) {
  return !text.ok() && text.error().code == ErrorCode::kTooLarge;
}

// A template that takes a shape shows its text; one that does not fails, drops it, or prints the
// list itself.
bool shows_needle(const RenderFunction& render, const Json& content) {
  for (const bool with_system : {false, true}) {
    const Result<std::string> text = render(conversation(content, with_system));
    if (is_runaway(text)) return false;
    if (!text.ok() || !contains(*text, kNeedle)) continue;
    return !contains(*text, "'type'") && !contains(*text, "\"type\"");
  }
  return false;
}

Json call_with(Json arguments) {
  Json call = {{"type", "function"}, {"id", "call00001"}};
  call["function"] = {{"name", "probe_tool"}, {"arguments", std::move(arguments)}};
  Json assistant = {{"role", "assistant"}, {"content", ""}};
  assistant["tool_calls"] = Json::array({std::move(call)});
  Json request = conversation("hello", false);
  request["messages"].push_back(std::move(assistant));
  request["add_generation_prompt"] = false;
  return request;
}

// Python's spelling of a dict, or JSON text quoted once more, is what the model never saw in
// training.
bool takes_arguments(const RenderFunction& render, const Json& arguments) {
  const Result<std::string> text = render(call_with(arguments));
  if (!text.ok() || !contains(*text, kNeedle)) return false;
  return !contains(*text, fmt::format("'{}'", kNeedle)) &&
         !contains(*text, fmt::format("\\\"{}", kNeedle));
}

// JSON text as json.dumps spells it, which is what models were trained on.
void write_like_python(const Json& value, std::string& out) {
  if (!value.is_structured()) {
    out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return;
  }
  out += value.is_object() ? '{' : '[';
  bool first = true;
  for (const auto& [key, item] : value.items()) {
    if (!first) out += ", ";
    first = false;
    if (value.is_object()) {
      write_like_python(Json(key), out);
      out += ": ";
    }
    write_like_python(item, out);
  }
  out += value.is_object() ? '}' : ']';
}

Result<Json> join_parts(const Json& parts, const std::string& where) {
  std::string joined;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Json& part = parts[i];
    const bool is_text = part.is_object() && part.contains("text") && part["text"].is_string();
    if (!is_text) {
      return Error{ErrorCode::kInvalidArgument,
                   "this model's chat template reads text only, and this part has no text",
                   fmt::format("{}.content[{}]", where, i)};
    }
    if (i > 0) joined += '\n';
    joined += part["text"].get_ref<const std::string&>();
  }
  return Json(std::move(joined));
}

Status shape_content(Json& message, ContentShape shape, const std::string& where) {
  const auto content = message.find("content");
  if (content == message.end()) return {};
  if (shape == ContentShape::kStringOnly && content->is_array()) {
    *content = TRY(join_parts(*content, where));
  } else if (shape == ContentShape::kPartsOnly && content->is_string()) {
    Json part = {{"type", "text"}};
    part["text"] = std::move(*content);
    *content = Json::array({std::move(part)});
  }
  return {};
}

void shape_arguments(Json& message, bool as_object) {
  const auto calls = message.find("tool_calls");
  if (calls == message.end() || !calls->is_array()) return;
  for (Json& call : *calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
    const auto arguments = call["function"].find("arguments");
    if (arguments == call["function"].end()) continue;
    if (as_object && arguments->is_string()) {
      // Text that is no object was the model's mistake; the template gets it as it is.
      Json parsed = Json::parse(arguments->get_ref<const std::string&>(), nullptr, false);
      if (parsed.is_object()) *arguments = std::move(parsed);
    } else if (!as_object && arguments->is_object()) {
      std::string text;
      write_like_python(*arguments, text);
      *arguments = std::move(text);
    }
  }
}

}  // namespace

MessageShape probe_message_shape(const RenderFunction& render) {
  // A template that runs out of its budget on a greeting is probed no further.
  if (is_runaway(render(conversation("hello", false)))) return {};
  const Json text_part = {{"type", "text"}, {"text", kNeedle}};
  const bool takes_string = shows_needle(render, Json(kNeedle));
  const bool takes_parts = shows_needle(render, Json::array({text_part}));
  MessageShape shape;
  if (takes_parts) shape.content = takes_string ? ContentShape::kEither : ContentShape::kPartsOnly;
  const Json arguments = {{kNeedle, "value"}};
  shape.arguments_as_object =
      takes_arguments(render, arguments) || !takes_arguments(render, Json(arguments.dump()));
  return shape;
}

Result<Json> shape_messages(const Json& messages, const MessageShape& shape) {
  Json shaped = messages;
  for (size_t i = 0; i < shaped.size(); ++i) {
    Json& message = shaped[i];
    const std::string where = fmt::format("messages[{}]", i);
    if (!message.is_object()) {
      return Error{ErrorCode::kInvalidArgument, "a message must be an object", where};
    }
    TRY(shape_content(message, shape.content, where));
    shape_arguments(message, shape.arguments_as_object);
  }
  return shaped;
}

}  // namespace twostroke

#include "server/chat_messages.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "server/request_fields.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Error invalid(std::string message, std::string field) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

Status check_part(const json& part, const std::string& where) {
  if (!part.is_object()) return wrong_type(where, "an object", part);
  const auto type = TRY(read_string(part, "type", 64));
  if (!type) return invalid(fmt::format("{} has no type", where), where + ".type");
  if (*type != "text") {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("{} is of type {}: this model reads text only", where, json(*type).dump()),
        where};
  }
  const json* text = find_field(part, "text");
  if (text == nullptr) return invalid(fmt::format("{} has no text", where), where + ".text");
  if (!text->is_string()) return wrong_type(where + ".text", "a string", *text);
  return {};
}

Status check_content(const json& message, const std::string& role, const std::string& where) {
  const json* content = find_field(message, "content");
  const std::string field = where + ".content";
  if (content == nullptr) {
    // An assistant that only calls tools has no content.
    if (role == "assistant") return {};
    return invalid(fmt::format("{} is missing", field), field);
  }
  if (content->is_string()) return {};
  if (!content->is_array()) return wrong_type(field, "a string or an array of parts", *content);
  for (size_t i = 0; i < content->size(); ++i) {
    TRY(check_part((*content)[i], fmt::format("{}[{}]", field, i)));
  }
  return {};
}

Status check_message(const json& message, const std::string& where) {
  if (!message.is_object()) return wrong_type(where, "an object", message);
  const json* role = find_field(message, "role");
  if (role == nullptr) return invalid(fmt::format("{} has no role", where), where + ".role");
  if (!role->is_string()) return wrong_type(where + ".role", "a string", *role);
  TRY(check_content(message, role->get_ref<const std::string&>(), where));
  if (const json* calls = find_field(message, "tool_calls");
      calls != nullptr && !calls->is_array()) {
    return wrong_type(where + ".tool_calls", "an array", *calls);
  }
  return {};
}

// Copies body[name] when it is there and an array of objects.
Status copy_objects(const json& body, const char* name, json& out) {
  const json* field = find_field(body, name);
  if (field == nullptr) return {};
  if (!field->is_array()) return wrong_type(name, "an array", *field);
  for (size_t i = 0; i < field->size(); ++i) {
    const json& item = (*field)[i];
    if (!item.is_object()) return wrong_type(fmt::format("{}[{}]", name, i), "an object", item);
  }
  if (!field->empty()) out[name] = *field;
  return {};
}

// With "none" the template hears of no tools. tool_request.h checks the field.
bool wants_tools(const json& body) {
  const json* choice = find_field(body, "tool_choice");
  return choice == nullptr || *choice != "none";
}

Status copy_generation_prompt(const json& body, json& out) {
  const bool continue_final = TRY(read_bool(body, "continue_final_message")).value_or(false);
  const bool add_prompt = TRY(read_bool(body, "add_generation_prompt")).value_or(!continue_final);
  if (continue_final && add_prompt) {
    return invalid("continue_final_message and add_generation_prompt cannot both be true",
                   "continue_final_message");
  }
  out["add_generation_prompt"] = add_prompt;
  out["continue_final_message"] = continue_final;
  return {};
}

}  // namespace

Result<json> parse_chat_messages(const json& body) {
  const json* messages = find_field(body, "messages");
  if (messages == nullptr) return invalid("messages is missing", "messages");
  if (!messages->is_array()) return wrong_type("messages", "an array", *messages);
  if (messages->empty()) return invalid("messages is empty", "messages");
  for (size_t i = 0; i < messages->size(); ++i) {
    TRY(check_message((*messages)[i], fmt::format("messages[{}]", i)));
  }
  json out = {{"messages", *messages}};
  if (wants_tools(body)) TRY(copy_objects(body, "tools", out));
  TRY(copy_objects(body, "documents", out));
  if (const json* kwargs = find_field(body, "chat_template_kwargs"); kwargs != nullptr) {
    if (!kwargs->is_object()) return wrong_type("chat_template_kwargs", "an object", *kwargs);
    out["chat_template_kwargs"] = *kwargs;
  }
  TRY(copy_generation_prompt(body, out));
  return out;
}

}  // namespace twostroke

#include "server/tool_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "sampling/grammar_compiler.h"
#include "sampling/json_schema.h"
#include "server/request_fields.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

constexpr size_t kMaxNameBytes = 64;  // OpenAI's
constexpr int kMaxSchemaDepth = GrammarLimits{}.max_depth;

bool is_tool_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
}

Result<std::string> read_name(const json& object, const std::string& where) {
  const json* name = find_field(object, "name");
  const std::string field = where + ".name";
  if (name == nullptr) return invalid_field(field, fmt::format("{} is missing", field));
  if (!name->is_string()) return wrong_type(field, "a string", *name);
  const auto& text = name->get_ref<const std::string&>();
  if (is_tool_name(text)) return text;
  return invalid_field(field, fmt::format("{} must be 1 to {} letters, digits, '_', '-' or '.'",
                                          field, kMaxNameBytes));
}

Result<Tool> parse_tool(const json& item, const std::string& where, const ServerOptions& options) {
  if (!item.is_object()) return wrong_type(where, "an object", item);
  const json* type = find_field(item, "type");
  if (type != nullptr && *type != "function") {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}.type must be \"function\", not {}", where, type->dump()),
                 where + ".type"};
  }
  const json* function = find_field(item, "function");
  const std::string field = where + ".function";
  if (function == nullptr) return invalid_field(field, fmt::format("{} is missing", field));
  if (!function->is_object()) return wrong_type(field, "an object", *function);
  Tool tool;
  tool.name = TRY(read_name(*function, field));
  tool.parameters = json::object();
  if (const json* description = find_field(*function, "description");
      description != nullptr && !description->is_string()) {
    return wrong_type(field + ".description", "a string", *description);
  }
  if (const json* parameters = find_field(*function, "parameters"); parameters != nullptr) {
    if (!parameters->is_object())
      return wrong_type(field + ".parameters", "an object", *parameters);
    const size_t bytes = parameters->dump(-1, ' ', false, json::error_handler_t::replace).size();
    if (bytes > options.max_tool_schema_bytes) {
      return invalid_field(field + ".parameters",
                           fmt::format("{}.parameters has {} bytes; the limit is {}", field, bytes,
                                       options.max_tool_schema_bytes));
    }
    tool.parameters = *parameters;
  }
  return tool;
}

Result<std::vector<Tool>> parse_tools(const json& body, const ServerOptions& options) {
  std::vector<Tool> tools;
  const json* field = find_field(body, "tools");
  if (field == nullptr) return tools;
  if (!field->is_array()) return wrong_type("tools", "an array", *field);
  if (field->size() > static_cast<size_t>(options.max_tools)) {
    return invalid_field("tools", fmt::format("tools has {} entries; the limit is {}",
                                              field->size(), options.max_tools));
  }
  for (size_t i = 0; i < field->size(); ++i) {
    const std::string where = fmt::format("tools[{}]", i);
    Tool tool = TRY(parse_tool((*field)[i], where, options));
    if (std::ranges::find(tools, tool.name, &Tool::name) != tools.end()) {
      return invalid_field(where + ".function.name",
                           fmt::format("two tools are called {}", tool.name));
    }
    tools.push_back(std::move(tool));
  }
  return tools;
}

// {"type": "function", "function": {"name": …}}
Status parse_named_choice(const json& choice, ToolRequest& request) {
  if (choice.value("type", json()) != "function") {
    return Error{ErrorCode::kUnsupported, "tool_choice.type must be \"function\"",
                 "tool_choice.type"};
  }
  const json* function = find_field(choice, "function");
  if (function == nullptr || !function->is_object()) {
    return invalid_field("tool_choice.function", "tool_choice.function must be an object");
  }
  request.only = TRY(read_name(*function, "tool_choice.function"));
  if (std::ranges::find(request.tools, request.only, &Tool::name) == request.tools.end()) {
    return invalid_field("tool_choice",
                         fmt::format("tool_choice names {}, which is not in tools", request.only));
  }
  request.must_call = true;
  return {};
}

Status parse_choice(const json& body, ToolRequest& request) {
  const json* choice = find_field(body, "tool_choice");
  if (choice == nullptr || *choice == "auto") return {};
  if (*choice == "none") {
    request.tools.clear();
    return {};
  }
  if (choice->is_object()) return parse_named_choice(*choice, request);
  if (!choice->is_string()) return wrong_type("tool_choice", "a string or an object", *choice);
  if (*choice != "required") {
    return invalid_field("tool_choice",
                         "tool_choice must be \"none\", \"auto\", \"required\" or an object");
  }
  if (request.tools.empty())
    return invalid_field("tool_choice", "tool_choice is \"required\", but there are no tools");
  request.must_call = true;
  return {};
}

std::string json_quoted(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

// Arguments that the schema does not name are no use to the tool, and small models do not stop
// inventing them: where an object lists its properties and says nothing of others, it has no
// others.
void close_objects(json& schema) {
  if (!schema.is_object()) return;
  const auto properties = schema.find("properties");
  if (properties != schema.end() && properties->is_object()) {
    for (auto& [name, property] : properties->items()) close_objects(property);
    constexpr std::array kOpeners = {"additionalProperties",
                                     "unevaluatedProperties",
                                     "patternProperties",
                                     "allOf",
                                     "anyOf",
                                     "oneOf",
                                     "$ref"};
    const bool says_nothing = std::ranges::none_of(
        kOpeners, [&](const char* keyword) { return schema.contains(keyword); });
    if (says_nothing) schema["additionalProperties"] = false;
  }
  if (schema.contains("items")) close_objects(schema["items"]);
}

}  // namespace

std::vector<std::string> ToolRequest::names() const {
  std::vector<std::string> names;
  for (const Tool& tool : tools) names.push_back(tool.name);
  return names;
}

Result<ToolRequest> parse_tool_request(const json& body, const ServerOptions& options) {
  ToolRequest request;
  request.tools = TRY(parse_tools(body, options));
  TRY(parse_choice(body, request));
  TRY(read_into(body, "parallel_tool_calls", request.parallel));
  return request;
}

ToolCallFormat forced_call_format(ToolCallFormat format) {
  const bool is_text =
      format == ToolCallFormat::kHermes || format == ToolCallFormat::kFunctionaryV31;
  return is_text ? format : ToolCallFormat::kLlama3Json;
}

Result<std::string> forced_call_grammar(const ToolRequest& request, ToolCallFormat format) {
  std::string before = R"({"name": ")", between = R"(", "parameters": )", after = "}";
  std::string separator = "; ";
  if (format == ToolCallFormat::kHermes) {
    before = "<tool_call>\n{\"name\": \"";
    between = R"(", "arguments": )";
    after = "}\n</tool_call>";
    separator = "\n";
  } else if (format == ToolCallFormat::kFunctionaryV31) {
    before = "<function=";
    between = ">";
    after = "</function>";
    separator = "\n";
  }
  std::string calls, rules;
  for (size_t number = 0; number < request.tools.size(); ++number) {
    const Tool& tool = request.tools[number];
    if (!request.only.empty() && tool.name != request.only) continue;
    json schema = tool.parameters;
    if (!schema.contains("type")) schema["type"] = "object";
    close_objects(schema);
    const std::string arguments =
        TRY(prepare_json_schema(schema.dump(-1, ' ', false, json::error_handler_t::replace),
                                kMaxSchemaDepth, fmt::format("tools[{}]", number)));
    calls += fmt::format("{}call_{}", calls.empty() ? "" : " | ", number);
    rules += fmt::format("call_{}: {} arguments_{} {}\narguments_{}: %json {}\n", number,
                         json_quoted(before + tool.name + between), number, json_quoted(after),
                         number, arguments);
  }
  const bool many = request.parallel && request.only.empty();
  const std::string more = many ? fmt::format(" ({} call)*", json_quoted(separator)) : "";
  return fmt::format("start: call{}\ncall: {}\n{}", more, calls, rules);
}

}  // namespace twostroke

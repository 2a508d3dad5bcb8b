// What the output must look like. At most one of these may constrain it; OpenAI's, vLLM's,
// llama-server's and SGLang's names are understood.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "server/json_text.h"
#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;
using Kind = GrammarSpec::Kind;

constexpr size_t kMaxChoices = 4096;
constexpr size_t kMaxBytes = size_t{1} << 20;  // the compiler's own limit is lower

Error unsupported(std::string field, std::string message) {
  return Error{ErrorCode::kUnsupported, std::move(message), std::move(field)};
}

// A schema may also come as a string that holds it.
Result<GrammarSpec> schema_spec(const json& schema, const std::string& field) {
  if (schema.is_string()) {
    return GrammarSpec{Kind::kJsonSchema, schema.get<std::string>(), field};
  }
  if (!schema.is_object() && !schema.is_boolean()) {
    return wrong_type(field, "a JSON schema: an object", schema);
  }
  return GrammarSpec{Kind::kJsonSchema, dump_json(schema), field};
}

GrammarSpec object_spec(const std::string& field) {
  return {Kind::kJsonSchema, R"({"type":"object"})", field};
}

Result<std::string> text_of(const json& value, const std::string& field) {
  if (!value.is_string()) return wrong_type(field, "a string", value);
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) return invalid_field(field, fmt::format("{} is empty", field));
  if (text.size() <= kMaxBytes) return text;
  return invalid_field(
      field, fmt::format("{} has {} bytes; the limit is {}", field, text.size(), kMaxBytes));
}

Result<GrammarSpec> regex_spec(const json& value, const std::string& field) {
  std::string text = TRY(text_of(value, field));
  // The whole output matches anyway.
  if (text.starts_with('^')) text.erase(0, 1);
  const bool is_escaped = text.size() >= 2 && text[text.size() - 2] == '\\';
  if (text.ends_with('$') && !is_escaped) text.pop_back();
  return GrammarSpec{Kind::kRegex, std::move(text), field};
}

// GBNF has `::=` between a rule and its body, Lark a colon.
Result<GrammarSpec> grammar_spec(const json& value, const std::string& field) {
  std::string text = TRY(text_of(value, field));
  const bool is_gbnf = text.find("::=") != std::string::npos;
  return GrammarSpec{is_gbnf ? Kind::kGbnf : Kind::kLark, std::move(text), field};
}

Result<GrammarSpec> choice_spec(const json& value, const std::string& field) {
  if (!value.is_array()) return wrong_type(field, "an array of strings", value);
  if (value.empty() || value.size() > kMaxChoices) {
    return invalid_field(field, fmt::format("{} has {} strings; it must have 1 to {}", field,
                                            value.size(), kMaxChoices));
  }
  std::string regex;
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string text = TRY(text_of(value[i], fmt::format("{}[{}]", field, i)));
    if (i > 0) regex += '|';
    for (const char c : text) {
      constexpr std::string_view kMeaningful = R"(\.+*?()|[]{}^$#&-~/ )";
      if (kMeaningful.find(c) != std::string_view::npos) regex += '\\';
      regex += c;
    }
  }
  return GrammarSpec{Kind::kRegex, std::move(regex), field};
}

Result<std::optional<GrammarSpec>> response_format(const json& format) {
  if (!format.is_object()) return wrong_type("response_format", "an object", format);
  const auto type = read_string(format, "type", 64);
  if (!type.ok() || !*type) {
    return invalid_field("response_format",
                         "response_format.type must be \"text\", \"json_object\" or "
                         "\"json_schema\"");
  }
  if (**type == "text") return std::optional<GrammarSpec>();
  if (**type == "json_object") {
    // llama-server takes a schema here too.
    const json* schema = find_field(format, "schema");
    if (schema == nullptr) return std::optional(object_spec("response_format"));
    return std::optional(TRY(schema_spec(*schema, "response_format.schema")));
  }
  if (**type != "json_schema") {
    return unsupported("response_format",
                       fmt::format("response_format.type is {}: it can be \"text\", "
                                   "\"json_object\" or \"json_schema\"",
                                   json(**type).dump()));
  }
  const json* wrapper = find_field(format, "json_schema");
  if (wrapper == nullptr) wrapper = &format;  // llama-server: the schema beside the type
  const std::string path = wrapper == &format ? "response_format" : "response_format.json_schema";
  if (!wrapper->is_object()) return wrong_type(path, "an object", *wrapper);
  const auto strict = read_bool(*wrapper, "strict");  // true or not: the schema is kept
  if (!strict.ok()) return wrong_type(path + ".strict", "a boolean", (*wrapper)["strict"]);
  const json* schema = find_field(*wrapper, "schema");
  if (schema == nullptr) {
    return invalid_field(path + ".schema", fmt::format("{}.schema is missing", path));
  }
  return std::optional(TRY(schema_spec(*schema, path + ".schema")));
}

// One name, and what makes a constraint of its value.
struct Notation {
  const char* name;
  Result<GrammarSpec> (*make)(const json&, const std::string&);
};

constexpr std::array<Notation, 4> kStructuredOutputs = {{
    {"json", schema_spec},
    {"regex", regex_spec},
    {"choice", choice_spec},
    {"grammar", grammar_spec},
}};

constexpr std::array<Notation, 8> kTopLevel = {{
    {"json_schema", schema_spec},  // llama-server
    {"grammar", grammar_spec},
    {"guided_json", schema_spec},  // vLLM before structured_outputs
    {"guided_regex", regex_spec},
    {"guided_choice", choice_spec},
    {"guided_grammar", grammar_spec},
    {"regex", regex_spec},  // SGLang
    {"ebnf", grammar_spec},
}};

Status structured_outputs(const json& options, std::vector<GrammarSpec>& found) {
  constexpr const char* kName = "structured_outputs";
  if (!options.is_object()) return wrong_type(kName, "an object", options);
  for (const auto& [key, value] : options.items()) {
    const std::string field = fmt::format("{}.{}", kName, key);
    if (value.is_null() || value == false) continue;
    const auto notation = std::ranges::find(kStructuredOutputs, key, &Notation::name);
    if (notation != kStructuredOutputs.end()) {
      found.push_back(TRY(notation->make(value, field)));
    } else if (key == "json_object") {
      if (!value.is_boolean()) return wrong_type(field, "a boolean", value);
      found.push_back(object_spec(field));
    } else {
      return unsupported(field, fmt::format("{} is not supported: {} takes json, json_object, "
                                            "regex, choice and grammar",
                                            field, kName));
    }
  }
  return {};
}

// An empty string says nothing: llama-server's own page sends it.
bool is_given(const json* value) {
  return value != nullptr && !(value->is_string() && value->get_ref<const std::string&>().empty());
}

}  // namespace

Status read_structured_fields(const json& body, const FieldContext& /*context*/,
                              GenerationRequest& request) {
  std::vector<GrammarSpec> found;
  if (const json* format = find_field(body, "response_format"); format != nullptr) {
    if (auto spec = TRY(response_format(*format))) found.push_back(std::move(*spec));
  }
  if (const json* options = find_field(body, "structured_outputs"); options != nullptr) {
    TRY(structured_outputs(*options, found));
  }
  for (const Notation& notation : kTopLevel) {
    const json* value = find_field(body, notation.name);
    if (is_given(value)) found.push_back(TRY(notation.make(*value, notation.name)));
  }
  if (TRY(read_bool(body, "grammar_lazy")).value_or(false)) {
    return unsupported("grammar_lazy",
                       "grammar_lazy is not supported: a grammar holds from the first token");
  }
  if (found.size() > 1) {
    return invalid_field(found[1].field,
                         fmt::format("{} and {} both constrain the output: give one of them",
                                     found[0].field, found[1].field));
  }
  if (!found.empty()) request.grammar = std::move(found.front());
  return {};
}

}  // namespace twostroke

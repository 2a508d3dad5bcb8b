#include "measure/workload/prompt_shape.h"

#include <fmt/format.h>

#include <algorithm>

namespace twostroke {
namespace {

// Words of filler, numbered through the prompt.
class Filler {
 public:
  explicit Filler(FunctionRef<std::string(int, int)> words) : words_(words) {}
  std::string next(int count) {
    const int first = used_;
    used_ += count;
    return words_(count, first);
  }
  int used() const { return used_; }

 private:
  FunctionRef<std::string(int, int)> words_;
  int used_ = 0;
};

Json tool_of(int index, std::string description) {
  return {
      {"type", "function"},
      {"function",
       {{"name", fmt::format("tool_{}", index + 1)},
        {"description", std::move(description)},
        {"parameters", {{"type", "object"}, {"properties", {{"query", {{"type", "string"}}}}}}}}}};
}

// A JSON schema with about `tokens` words in its fields' descriptions.
Json schema_of(int tokens, Filler& filler) {
  constexpr int kWordsPerField = 16;
  Json properties = Json::object();
  for (int left = tokens, i = 1; left > 0; left -= kWordsPerField, ++i) {
    properties[fmt::format("field_{}", i)] = {
        {"type", "string"}, {"description", filler.next(std::min(left, kWordsPerField))}};
  }
  return {{"type", "json_schema"},
          {"json_schema",
           {{"name", "answer"},
            {"schema", {{"type", "object"}, {"properties", std::move(properties)}}}}}};
}

}  // namespace

ShapedPrompt shape_prompt(const PromptShape& shape, bool system_role,
                          FunctionRef<std::string(int, int)> words) {
  ShapedPrompt prompt;
  Filler filler(words);
  std::string system = shape.system_tokens > 0 ? filler.next(shape.system_tokens) : std::string();
  if (!system.empty() && system_role) {
    prompt.messages.push_back({{"role", "system"}, {"content", std::move(system)}});
  } else if (!system.empty()) {
    prompt.question_prefix = system + "\n\n";
  }
  for (int i = 0; i < shape.history_turns; ++i) {
    const int half = std::max(1, shape.history_turn_tokens / 2);
    prompt.messages.push_back({{"role", "user"}, {"content", filler.next(half)}});
    prompt.messages.push_back(
        {{"role", "assistant"},
         {"content", filler.next(std::max(1, shape.history_turn_tokens - half))}});
  }
  for (int i = 0; i < shape.documents; ++i) {
    prompt.question_prefix +=
        fmt::format("Document {}: {}\n\n", i + 1, filler.next(shape.document_tokens));
  }
  if (shape.tools > 0) {
    Json tools = Json::array();
    for (int i = 0; i < shape.tools; ++i)
      tools.push_back(tool_of(i, filler.next(shape.tool_tokens)));
    prompt.extra["tools"] = std::move(tools);
  }
  if (shape.schema_tokens > 0) {
    prompt.extra["response_format"] = schema_of(shape.schema_tokens, filler);
  }
  prompt.words = filler.used();
  return prompt;
}

}  // namespace twostroke

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Result<std::vector<CompletionPrompt>> parse_prompts(const json& body, const FieldContext& context) {
  const json* field = find_field(body, "prompt");
  if (field == nullptr) return invalid_field("prompt", "prompt is missing");
  std::vector<CompletionPrompt> prompts;
  if (field->is_string()) {
    prompts.emplace_back(field->get<std::string>());
    return prompts;
  }
  if (!field->is_array())
    return wrong_type("prompt", "a string, an array of strings or of token ids", *field);
  if (field->empty()) return invalid_field("prompt", "prompt is empty");
  if ((*field)[0].is_number()) {
    prompts.emplace_back(TRY(read_token_ids(*field, "prompt", context.vocab_size)));
    return prompts;
  }
  const size_t limit = 4 * static_cast<size_t>(context.options.max_choices);
  if (field->size() > limit) {
    return invalid_field(
        "prompt", fmt::format("prompt has {} prompts; the limit is {}", field->size(), limit));
  }
  for (size_t i = 0; i < field->size(); ++i) {
    const json& item = (*field)[i];
    const std::string name = fmt::format("prompt[{}]", i);
    if (item.is_string()) {
      prompts.emplace_back(item.get<std::string>());
    } else if (item.is_array()) {
      prompts.emplace_back(TRY(read_token_ids(item, name, context.vocab_size)));
    } else {
      return wrong_type(name, "a string or an array of token ids", item);
    }
  }
  return prompts;
}

}  // namespace

Status read_completion_fields(const json& body, const FieldContext& context,
                              GenerationRequest& request) {
  const ServerOptions& options = context.options;
  request.prompts = TRY(parse_prompts(body, context));
  TRY(read_into(body, "echo", request.echo));
  if (request.echo && request.sampling.num_logprobs >= 0) {
    return Error{ErrorCode::kUnsupported,
                 "echo together with logprobs is not supported: prompts have no logprobs", "echo"};
  }
  if (const json* suffix = find_field(body, "suffix"); suffix != nullptr && *suffix != "") {
    return Error{ErrorCode::kUnsupported,
                 "suffix is not supported: the model only continues a text", "suffix"};
  }
  const auto best_of = TRY(read_int(body, "best_of", 1, options.max_choices));
  if (best_of && *best_of > request.num_choices) {
    return Error{ErrorCode::kUnsupported, "best_of greater than n is not supported", "best_of"};
  }
  const size_t limit = 4 * static_cast<size_t>(options.max_choices);
  const size_t num_choices = request.prompts.size() * static_cast<size_t>(request.num_choices);
  if (num_choices <= limit) return {};
  return invalid_field(
      "n", fmt::format("n times the number of prompts is {}; the limit is {}", num_choices, limit));
}

}  // namespace twostroke

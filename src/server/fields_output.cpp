#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Result<std::vector<std::string>> parse_stop(const json& body, const ServerOptions& options) {
  std::vector<std::string> stop;
  const json* field = find_field(body, "stop");
  if (field == nullptr) return stop;
  const json list = field->is_array() ? *field : json::array({*field});
  if (list.size() > static_cast<size_t>(options.max_stop_strings)) {
    return invalid_field("stop", fmt::format("stop has {} strings; the limit is {}", list.size(),
                                             options.max_stop_strings));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string name = field->is_array() ? fmt::format("stop[{}]", i) : "stop";
    if (!list[i].is_string()) return wrong_type(name, "a string or an array of strings", list[i]);
    const auto& text = list[i].get_ref<const std::string&>();
    if (text.empty()) return invalid_field("stop", fmt::format("{} is empty", name));
    if (text.size() > options.max_stop_bytes) {
      return invalid_field("stop", fmt::format("{} has {} bytes; the limit is {}", name,
                                               text.size(), options.max_stop_bytes));
    }
    stop.push_back(text);
  }
  return stop;
}

Result<std::optional<int>> parse_max_tokens(const json& body) {
  for (const char* name : {"max_completion_tokens", "max_tokens"}) {
    const auto value = TRY(read_int(body, name, -1, kMaxInt));
    if (!value) continue;
    if (*value == -1) return std::optional<int>();  // llama-server's way to say "no limit of mine"
    if (*value == 0) return invalid_field(name, fmt::format("{} must be at least 1", name));
    return std::optional<int>(static_cast<int>(*value));
  }
  return std::optional<int>();
}

}  // namespace

Status read_output_fields(const json& body, const FieldContext& context,
                          GenerationRequest& request) {
  const ServerOptions& options = context.options;
  request.max_tokens = TRY(parse_max_tokens(body));
  TRY(read_into(body, "min_tokens", 0, kMaxInt, request.sampling.min_tokens));
  TRY(read_into(body, "n", 1, options.max_choices, request.num_choices));
  request.stop = TRY(parse_stop(body, options));
  if (const json* ids = find_field(body, "stop_token_ids"); ids != nullptr) {
    request.stop_token_ids = TRY(read_token_ids(*ids, "stop_token_ids", context.vocab_size,
                                                static_cast<size_t>(options.max_stop_token_ids)));
  }
  return read_into(body, "ignore_eos", request.ignore_eos);
}

}  // namespace twostroke

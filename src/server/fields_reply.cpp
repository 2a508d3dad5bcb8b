#include <nlohmann/json.hpp>

#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Status read_stream_options(const json& body, GenerationRequest& request) {
  const json* options = find_field(body, "stream_options");
  if (options == nullptr) return {};
  if (!options->is_object()) return wrong_type("stream_options", "an object", *options);
  const auto read = [&](const char* name, bool& into) -> Status {
    auto value = read_bool(*options, name);
    if (!value.ok())
      return wrong_type(std::string("stream_options.") + name, "a boolean",
                        *find_field(*options, name));
    into = value->value_or(false);
    return {};
  };
  TRY(read("include_usage", request.include_usage));
  return read("continuous_usage_stats", request.continuous_usage);
}

Status read_chat_logprobs(const json& body, const ServerOptions& options,
                          GenerationRequest& request) {
  bool wanted = false;
  TRY(read_into(body, "logprobs", wanted));
  const auto top = TRY(read_int(body, "top_logprobs", 0, options.max_top_logprobs));
  if (top && *top > 0 && !wanted)
    return invalid_field("top_logprobs", "top_logprobs needs logprobs to be true");
  if (wanted) request.sampling.num_logprobs = static_cast<int>(top.value_or(0));
  return {};
}

}  // namespace

Status read_reply_fields(const json& body, const FieldContext& context,
                         GenerationRequest& request) {
  TRY(read_into(body, "stream", request.stream));
  TRY(read_into(body, "return_progress", request.return_progress));
  TRY(read_into(body, "timings_per_token", request.timings_per_token));
  TRY(read_into(body, "phases", request.phases));
  TRY(read_stream_options(body, request));
  if (request.is_chat) return read_chat_logprobs(body, context.options, request);
  return read_into(body, "logprobs", 0, context.options.max_top_logprobs,
                   request.sampling.num_logprobs);
}

}  // namespace twostroke

#include "server/openai_request.h"

#include <nlohmann/json.hpp>

#include "server/chat_messages.h"
#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

// llama-server's field.
Result<bool> reads_reasoning_apart(const json& body) {
  const auto format = TRY(read_string(body, "reasoning_format", 64));
  if (!format || *format == "auto" || *format == "deepseek") return true;
  if (*format == "none") return false;
  return invalid_field("reasoning_format",
                       "reasoning_format must be \"auto\", \"deepseek\" or \"none\"");
}

Status read_common_fields(const json& body, const FieldContext& context,
                          GenerationRequest& request) {
  TRY(read_string(body, "model", 4096));  // any name is served by the one model there is
  TRY(read_string(body, "user", 4096));
  TRY(read_sampling_fields(body, context, request));
  TRY(read_output_fields(body, context, request));
  TRY(read_structured_fields(body, context, request));
  TRY(read_scheduling_fields(body, context, request));
  return read_reply_fields(body, context, request);
}

}  // namespace

Result<GenerationRequest> parse_chat_request(const json& body, const ServerOptions& options,
                                             int vocab_size) {
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  GenerationRequest request;
  request.is_chat = true;
  request.chat = TRY(parse_chat_messages(body));
  request.tools = TRY(parse_tool_request(body, options));
  request.separate_reasoning = TRY(reads_reasoning_apart(body));
  TRY(read_common_fields(body, {options, vocab_size}, request));
  return request;
}

Result<GenerationRequest> parse_completion_request(const json& body, const ServerOptions& options,
                                                   int vocab_size) {
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  const FieldContext context{options, vocab_size};
  GenerationRequest request;
  TRY(read_common_fields(body, context, request));
  TRY(read_completion_fields(body, context, request));
  return request;
}

}  // namespace twostroke

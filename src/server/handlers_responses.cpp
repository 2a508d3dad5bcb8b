// /v1/responses: OpenAI's Responses API: create, get and remove.
#include <fmt/format.h>

#include <chrono>

#include "server/error_response.h"
#include "server/handlers.h"
#include "server/openai_request.h"
#include "server/prepare_generation.h"
#include "server/responses_dialect.h"
#include "server/responses_request.h"

namespace twostroke {
namespace {

using json = OrderedJson;

constexpr std::string_view kPrefix = "/v1/responses/";

Error not_found(std::string_view id) {
  return {ErrorCode::kNotFound,
          fmt::format("there is no response {}; it may have been removed or "
                      "never stored",
                      id),
          "previous_response_id"};
}

Result<Reply> create(const HttpRequest& http, const Serving& serving) {
  const JsonLimits limits{serving.options.max_json_depth, serving.options.max_json_members};
  const json body = TRY(parse_json(http.body, limits));
  ResponsesRequest asked = TRY(parse_responses_request(body));
  if (!asked.previous_response_id.empty()) {
    const auto earlier = serving.responses->find(asked.previous_response_id);
    if (!earlier) return not_found(asked.previous_response_id);
    add_history(earlier->messages, asked);
  }
  auto request =
      parse_chat_request(asked.chat, serving.options, serving.context->model.info().vocab_size);
  if (!request.ok()) return in_responses_words(request.error());
  // What others may see of the request is not the response's own id: who knows that one may read
  // it.
  request->id_prefix = "respreq-";
  auto base = submit_generation(*request, http, serving, serving.clock.now_ns());
  if (!base.ok()) return in_responses_words(base.error());
  auto dialect = make_responses_dialect(base->head, std::move(asked), serving.responses);
  Reply reply;
  if (request->stream) set_event_stream_headers(reply);
  reply.source = make_dialect_generation(std::move(*base), std::move(dialect), request->stream);
  return reply;
}

std::string id_of(const HttpRequest& request) {
  return request.path.substr(kPrefix.size());
}

}  // namespace

Reply handle_create_response(const HttpRequest& request, const Serving& serving) {
  Result<Reply> reply = create(request, serving);
  return reply.ok() ? std::move(reply).value() : error_reply(reply.error());
}

Reply handle_get_response(const HttpRequest& request, const Serving& serving) {
  const std::string id = id_of(request);
  const auto entry = serving.responses->find(id);
  if (!entry) return error_reply(not_found(id));
  Reply reply;
  reply.body = entry->response;
  return reply;
}

Reply handle_delete_response(const HttpRequest& request, const Serving& serving) {
  const std::string id = id_of(request);
  if (!serving.responses->erase(id)) return error_reply(not_found(id));
  Reply reply;
  reply.body = dump_json({{"id", id}, {"object", "response"}, {"deleted", true}});
  return reply;
}

}  // namespace twostroke

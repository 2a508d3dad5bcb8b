#include "server/dialect.h"
#include "server/error_response.h"
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/openai_request.h"
#include "server/prepare_generation.h"

namespace twostroke {
namespace {

using ParseRequest = Result<GenerationRequest> (*)(const OrderedJson&, const ServerOptions&, int);

Result<Reply> generate(ParseRequest parse, const HttpRequest& http, const Serving& serving) {
  const JsonLimits limits{serving.options.max_json_depth, serving.options.max_json_members};
  const OrderedJson body = TRY(parse_json(http.body, limits));
  const GenerationRequest request =
      TRY(parse(body, serving.options, serving.context->model.info().vocab_size));
  GenerationBase base = TRY(submit_generation(request, http, serving, serving.clock.now_ns()));
  Reply reply;
  reply.source = request.stream ? make_streamed_generation(std::move(base))
                                : make_whole_generation(std::move(base));
  if (request.stream) set_event_stream_headers(reply);
  return reply;
}

Reply generate_or_error(ParseRequest parse, const HttpRequest& http, const Serving& serving) {
  Result<Reply> reply = generate(parse, http, serving);
  return reply.ok() ? std::move(reply).value() : error_reply(reply.error());
}

}  // namespace

Reply handle_chat_completions(const HttpRequest& request, const Serving& serving) {
  return generate_or_error(parse_chat_request, request, serving);
}

Reply handle_completions(const HttpRequest& request, const Serving& serving) {
  return generate_or_error(parse_completion_request, request, serving);
}

}  // namespace twostroke

// The endpoints. One function each: request in, reply out. Run on an intake thread, or on the I/O
// thread where the router says they are quick. Adding one: a function here and a row in router.cpp.
#pragma once

#include "server/reply.h"

namespace twostroke {

// handlers_generate.cpp
Reply handle_chat_completions(const HttpRequest& request, const Serving& serving);
Reply handle_completions(const HttpRequest& request, const Serving& serving);

// handlers_embeddings.cpp
Reply handle_embeddings(const HttpRequest& request, const Serving& serving);

// handlers_messages.cpp
Reply handle_messages(const HttpRequest& request, const Serving& serving);
Reply handle_count_tokens(const HttpRequest& request, const Serving& serving);

// handlers_responses.cpp
Reply handle_create_response(const HttpRequest& request, const Serving& serving);
Reply handle_get_response(const HttpRequest& request, const Serving& serving);
Reply handle_delete_response(const HttpRequest& request, const Serving& serving);

// handlers_text.cpp
Reply handle_tokenize(const HttpRequest& request, const Serving& serving);
Reply handle_detokenize(const HttpRequest& request, const Serving& serving);
Reply handle_apply_template(const HttpRequest& request, const Serving& serving);

// handlers_explain.cpp, handlers_what_if.cpp: /v1/requests/{id}/…
Reply handle_explain(const HttpRequest& request, const Serving& serving);
Reply handle_what_if(const HttpRequest& request, const Serving& serving);

// handlers_page.cpp
Reply handle_page(const HttpRequest& request, const Serving& serving);

// handlers_info.cpp
Reply handle_health(const HttpRequest& request, const Serving& serving);
Reply handle_models(const HttpRequest& request, const Serving& serving);
Reply handle_model(const HttpRequest& request, const Serving& serving);  // /v1/models/{id}
Reply handle_props(const HttpRequest& request, const Serving& serving);
Reply handle_openapi(const HttpRequest& request, const Serving& serving);
Reply handle_reset_prefix_cache(const HttpRequest& request, const Serving& serving);

// handlers_observe.cpp
Reply handle_requests(const HttpRequest& request, const Serving& serving);
Reply handle_request(const HttpRequest& request, const Serving& serving);  // /v1/requests/{id}
Reply handle_events(const HttpRequest& request, const Serving& serving);
Reply handle_trace(const HttpRequest& request, const Serving& serving);
Reply handle_cost_model(const HttpRequest& request, const Serving& serving);
Reply handle_metrics(const HttpRequest& request, const Serving& serving);

}  // namespace twostroke

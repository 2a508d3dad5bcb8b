#include "server/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "server/error_response.h"
#include "server/handlers.h"

namespace twostroke {
namespace {

constexpr std::array kRoutes = {
    Route{"POST", "/v1/chat/completions", handle_chat_completions, true, false},
    Route{"POST", "/v1/completions", handle_completions, true, false},
    Route{"POST", "/v1/embeddings", handle_embeddings, true, false},
    Route{"POST", "/v1/messages", handle_messages, true, false},
    Route{"POST", "/v1/messages/count_tokens", handle_count_tokens, true, false},
    Route{"POST", "/v1/responses", handle_create_response, true, false},
    Route{"GET", "/v1/responses/", handle_get_response, true, true},
    Route{"DELETE", "/v1/responses/", handle_delete_response, true, true},
    Route{"GET", "/v1/models", handle_models, true, true},
    Route{"GET", "/v1/models/", handle_model, true, true},
    Route{"GET", "/health", handle_health, true, true},
    Route{"GET", "/v1/health", handle_health, true, true},
    Route{"GET", "/props", handle_props, true, true},
    Route{"POST", "/tokenize", handle_tokenize, true, false},
    Route{"POST", "/detokenize", handle_detokenize, true, false},
    Route{"POST", "/apply-template", handle_apply_template, true, false},
    Route{"POST", "/reset_prefix_cache", handle_reset_prefix_cache, true, false},
    Route{"GET", "/v1/requests/*/explain", handle_explain, true, false},
    Route{"POST", "/v1/requests/*/what-if", handle_what_if, true, false},
    Route{"GET", "/v1/requests", handle_requests, true, false},
    Route{"GET", "/v1/requests/", handle_request, true, false},
    Route{"GET", "/v1/events", handle_events, true, true},
    Route{"GET", "/v1/trace", handle_trace, true, false},
    Route{"GET", "/v1/cost-model", handle_cost_model, true, false},
    Route{"GET", "/metrics", handle_metrics, true, true},
    Route{"GET", "/openapi.json", handle_openapi, false, true},
    Route{"GET", "/", handle_page, false, true},
    Route{"GET", "/assets/", handle_page, false, true},
    Route{"GET", "/favicon.svg", handle_page, false, true},
};

// A '*' stands for one segment of the path, a '/' at the end for any rest.
bool path_matches(const Route& route, std::string_view path) {
  if (const size_t star = route.path.find('*'); star != std::string_view::npos) {
    const std::string_view before = route.path.substr(0, star);
    const std::string_view after = route.path.substr(star + 1);
    if (path.size() <= before.size() + after.size()) return false;
    if (!path.starts_with(before) || !path.ends_with(after)) return false;
    path.remove_prefix(before.size());
    path.remove_suffix(after.size());
    return path.find('/') == std::string_view::npos;
  }
  if (route.path.size() > 1 && route.path.back() == '/') {
    return path.size() > route.path.size() && path.starts_with(route.path);
  }
  return path == route.path;
}

bool method_matches(const Route& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

const Route* find_route(const HttpRequest& request) {
  const auto it = std::ranges::find_if(kRoutes, [&](const Route& route) {
    return path_matches(route, request.path) && method_matches(route, request.method);
  });
  return it == kRoutes.end() ? nullptr : &*it;
}

// "GET, HEAD, OPTIONS"; empty when there is nothing at this path.
std::string allowed_methods(std::string_view path) {
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (!path_matches(route, path)) continue;
    allowed += allowed.empty() ? "" : ", ";
    allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return allowed.empty() ? allowed : allowed + ", OPTIONS";
}

Reply no_content() {
  Reply reply;
  reply.status = 204;
  reply.content_type.clear();
  return reply;
}

Reply no_route(const HttpRequest& request) {
  if (request.method == "OPTIONS" && request.path == "*") return no_content();
  const std::string allowed = allowed_methods(request.path);
  if (allowed.empty()) {
    return fault_reply(HttpFault::kPathNotFound,
                       fmt::format("there is nothing at {}", request.path),
                       error_style_of(request.path));
  }
  Reply reply =
      request.method == "OPTIONS"
          ? no_content()
          : fault_reply(HttpFault::kMethodNotAllowed,
                        fmt::format("{} answers {}, not {}", request.path, allowed, request.method),
                        error_style_of(request.path));
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

bool is_quick(const HttpRequest& request) {
  const Route* route = find_route(request);
  return route == nullptr || route->quick;
}

Reply dispatch(const HttpRequest& request, const Serving& serving) {
  const Route* route = find_route(request);
  if (route == nullptr) return no_route(request);
  if (route->needs_model && serving.context == nullptr) {
    return fault_reply(HttpFault::kLoading, serving.loading, error_style_of(request.path));
  }
  return route->handle(request, serving);
}

}  // namespace twostroke

// Router: path and method -> endpoint. Knows 404, 405, HEAD, OPTIONS and "still loading"; the table
// is in router.cpp.
#pragma once

#include <span>
#include <string_view>

#include "server/reply.h"

namespace twostroke {

struct Route {
  std::string_view method;  // GET routes also answer HEAD
  std::string_view path;    // one that ends in '/' matches everything below it, except "/" itself
  Reply (*handle)(const HttpRequest&, const Serving&);
  bool needs_model;
  bool quick;  // may run on the I/O thread
};

// Everything that can be asked for, in the order in which it is looked up.
std::span<const Route> routes();

// Whether dispatch() returns at once for this request.
bool is_quick(const HttpRequest& request);

// Always a reply. For HEAD the caller leaves the body away.
Reply dispatch(const HttpRequest& request, const Serving& serving);

}  // namespace twostroke

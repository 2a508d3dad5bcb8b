// HttpServer: listens, answers, and goes away in order. It can answer (503, what it is doing)
// before a model is loaded. Not the endpoints (server/handlers.h) and not the JSON
// (server/openai_*.h). One I/O thread of its own and a small pool for intake; every method here may
// be called from any other thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "server/server_context.h"
#include "server/server_options.h"

namespace twostroke {

// Use:
//   auto server = TRY(HttpServer::start(options, clock));   // bound, listening, /health is 503
//   server->set_loading("building panels");                 // as often as there is news
//   server->set_ready(ServerContext{engine, services});     // once; from here requests are served
//   ... wait for SIGTERM ...
//   server->stop(drain_timeout_ms);
class HttpServer {
 public:
  // kIo with host, port and reason when it cannot bind. `clock` is the engine's clock and outlives
  // the server.
  static Result<std::unique_ptr<HttpServer>> start(const ServerOptions& options,
                                                   const Clock& clock);
  ~HttpServer();  // stop(0) when nobody did

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;    // the real one, also with options.port == 0
  std::string url() const;  // "http://127.0.0.1:8080"

  void set_loading(std::string what);
  void set_ready(const ServerContext& context);

  // Stops accepting, waits until the replies in flight are sent or the time is over, then cancels
  // the rest. True when everything was finished in time. Idempotent.
  bool stop(int drain_timeout_ms);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace twostroke

// HttpRequest and Reply: what passes between the connection (bytes, sockets) and the handlers
// (meaning). Plain C++, no Asio, so that handlers are tested without a socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/request_record.h"
#include "server/response_store.h"
#include "server/server_context.h"
#include "server/server_options.h"

namespace twostroke {

struct HttpRequest {
  std::string method;
  std::string path;   // without the query
  std::string query;  // what follows the '?', as the client wrote it
  std::string body;
  std::string accept_encoding;  // these two as the client wrote them
  std::string if_none_match;
  std::string id;              // for logs and reply: the client's x-request-id, or one of ours
  int64_t received_ns = 0;     // first byte read
  std::function<void()> wake;  // any thread: "the ReplySource has news". Stays callable for ever.
};

// A reply that is still being made: a stream of events, or a body that waits for the engine.
// Owned by the connection, used on the I/O thread only.
class ReplySource {
 public:
  virtual ~ReplySource() = default;
  // Whether poll()'s bytes are sent as they come (chunked), or kept until the end (Content-Length).
  virtual bool streams() const = 0;
  // Appends what has arrived to `out`; true when nothing more will come. Never blocks.
  virtual bool poll(std::string& out) = 0;
  // For a reply that does not stream, after poll() returned true.
  virtual int status() const = 0;
  // What the last poll appended was handed to the socket at now_ns; the socket had taken none of it
  // since blocked_from_ns (-1: it always took some).
  virtual void on_sent(int64_t now_ns, int64_t blocked_from_ns) {
    (void)now_ns, (void)blocked_from_ns;
  }
  // The rest will not be sent.
  virtual void on_gone(RequestEnd why, int64_t now_ns) { (void)why, (void)now_ns; }
  // How often poll() is called though nobody woke the connection; 0: never.
  virtual int poll_interval_ms() const { return 0; }
  // The client is gone, or the server stops: ends the work in the engine.
  virtual void cancel() = 0;
  // For the log: counts and times, never text.
  virtual std::string describe() const = 0;
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::unique_ptr<ReplySource>
      source;  // when set, `body` is unused and status() of the source counts
};

class PromptArchive;

// What a handler works with. `context` is null until the model is loaded.
struct Serving {
  const ServerOptions& options;
  const Clock& clock;
  const ServerContext* context = nullptr;
  std::string loading;  // what the server is doing while context is null
  PromptArchive* prompts = nullptr;
  std::shared_ptr<ResponseStore> responses = nullptr;  // of /v1/responses
};

}  // namespace twostroke

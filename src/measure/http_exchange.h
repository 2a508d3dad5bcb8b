// One HTTP request and its response over a kept-alive connection, with the times that matter taken
// before anything else is done with the bytes. Everything here runs on one io_context's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "measure/http_response_parser.h"
#include "measure/server_url.h"

namespace twostroke {

int64_t steady_now_ns();  // CLOCK_MONOTONIC, the clock of every time in this room

struct HttpClientOptions {
  std::string api_key = {};  // sent as a bearer token; empty: none
  int connect_timeout_ms = 10'000;
  int idle_timeout_ms = 300'000;     // no byte of the response for so long
  int total_timeout_ms = 3'600'000;  // from sending to the response's last byte
  size_t max_body_bytes = size_t{256} << 20;
};

struct HttpRequestText {
  std::string method = "POST";
  std::string target;  // with the base path
  std::string body;    // JSON
  std::vector<std::pair<std::string, std::string>> headers = {};
};

enum class ExchangeEnd {
  kComplete,      // a whole response, whatever its status
  kStopped,       // the sink wanted no more
  kConnect,       // no connection
  kTimeout,       // connect, idle or total; the detail says which
  kDisconnected,  // the peer went away in the middle
  kMalformed,     // what came is not HTTP, or past a limit
};

struct ExchangeOutcome {
  ExchangeEnd end = ExchangeEnd::kComplete;
  std::string detail;  // for people; empty when complete
};

// Hears of a response as it arrives. `now_ns` was taken when the bytes had just been read.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void on_connected(int64_t now_ns, bool reused) = 0;
  virtual void on_head(const HttpHead& head, int64_t now_ns) = 0;
  virtual bool on_body(std::string_view bytes, int64_t now_ns) = 0;  // false: stop
};

// Connections to one server. The idle ones are used again, the latest first.
class HttpConnections {
 public:
  HttpConnections(boost::asio::io_context& io, ServerUrl url, HttpClientOptions options);
  ~HttpConnections();
  HttpConnections(const HttpConnections&) = delete;
  HttpConnections& operator=(const HttpConnections&) = delete;

  // Looks the host up; run() does it when it was not done. kIo with host and reason.
  Status resolve();

  // Sends and reads. A reused connection that turns out to be dead before any byte came is replaced
  // by a new one, once. `request` and `sink` outlive the call.
  boost::asio::awaitable<ExchangeOutcome> run(const HttpRequestText& request, ResponseSink& sink);

  // Cuts every connection: exchanges in flight end as kDisconnected.
  void close_all();

  const ServerUrl& url() const { return url_; }
  const HttpClientOptions& options() const { return options_; }

 private:
  class Connection;
  boost::asio::awaitable<ExchangeOutcome> attempt(const std::shared_ptr<Connection>& connection,
                                                  const std::string& text, ResponseSink& sink,
                                                  bool* untouched);
  boost::asio::awaitable<ExchangeOutcome> connect(Connection& connection);
  boost::asio::awaitable<boost::system::error_code> receive(Connection& connection,
                                                            HttpResponseParser& parser,
                                                            ResponseSink& sink, Status* bad);
  ExchangeOutcome failure(const Connection& connection, const boost::system::error_code& error);
  std::string format(const HttpRequestText& request) const;

  boost::asio::io_context& io_;
  ServerUrl url_;
  HttpClientOptions options_;
  std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
  std::unordered_set<Connection*> open_;  // outlives the connections, which leave it
  std::vector<std::shared_ptr<Connection>> idle_;
};

}  // namespace twostroke

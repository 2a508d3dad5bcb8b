// HttpConnection: one client's socket, from accept to close: reads requests within limits, has them
// answered on an intake thread, writes replies, and watches the socket meanwhile so that a client
// that leaves cancels its work. Everything here runs on the I/O thread, except dispatch() (intake)
// and Waker::wake() (any thread).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/clock.h"
#include "server/error_response.h"
#include "server/http_format.h"
#include "server/reply.h"
#include "server/server_options.h"
#include "server/serving_state.h"

namespace twostroke {

class HttpConnection;
class Waker;

// What all connections share. The server owns it; I/O thread only, except `state`.
struct ConnectionShared {
  const ServerOptions& options;
  const Clock& clock;
  ServingState& state;
  boost::asio::io_context& io;
  boost::asio::thread_pool& intake;
  std::function<void(int delta)>
      busy_changed;  // connections between a request's first byte and its reply's last
  std::unordered_set<HttpConnection*> open = {};
  size_t bodies_bytes = 0;  // <= options.max_bodies_bytes
  bool draining = false;
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  // `over_limit`: there are too many connections; answers 503 to the first request and closes.
  HttpConnection(Socket socket, ConnectionShared& shared, bool over_limit);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void start();
  void close_if_idle();  // no request is being read or answered
  void cancel_reply();   // ends the work in the engine; the client is told
  void close();          // at once
  void on_wake();        // the reply source has news

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;
  struct Exchange;  // one request and what is known about its reply

  Awaitable<void> run();
  Awaitable<bool> wait_first_byte();
  Awaitable<bool> serve_one();  // false: the connection is over
  Awaitable<bool> read_request(Exchange& exchange);
  Awaitable<bool> read_body(Parser& parser, Exchange& exchange);
  Awaitable<bool> refuse_unreadable(boost::system::error_code error, Exchange& exchange);
  Awaitable<bool> refuse(HttpFault fault, std::string message, Exchange& exchange);
  Awaitable<bool> answer(Exchange& exchange);
  Awaitable<bool> send_source(Reply& reply, Exchange& exchange);
  Awaitable<bool> send_stream(Reply& reply, Exchange& exchange);
  Awaitable<bool> send_whole(const Reply& reply, int status, std::string_view body,
                             Exchange& exchange);
  Awaitable<bool> wait_for_news(int timeout_ms);  // false: nothing came within it
  Awaitable<bool> write_all(std::string_view data);
  Awaitable<void> linger();

  void tell_sent(ReplySource& source);
  RequestEnd end_reason() const;
  bool gone() const { return peer_gone_ || closed_; }
  void set_busy(bool busy);
  void watch();  // notices a client that leaves, and reads ahead what it pipelines
  void stop_watch();
  void on_readable();
  void arm(int timeout_ms);  // cancels what the socket is doing when the time is over
  void disarm();

  Socket socket_;
  ConnectionShared& shared_;
  const bool over_limit_;
  boost::beast::flat_buffer buffer_;  // read, not yet parsed
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer news_;
  std::shared_ptr<Waker> waker_;
  ReplySource* source_ = nullptr;  // while a reply is being made
  int64_t blocked_from_ns_ = -1;   // since when the socket takes nothing of what is being written
  uint64_t deadline_epoch_ = 0;
  uint64_t watch_epoch_ = 0;
  bool first_request_ = true;
  bool busy_ = false;
  bool news_arrived_ = false;
  bool timed_out_ = false;
  bool peer_gone_ = false;
  bool cancelled_ = false;
  bool closed_ = false;
};

}  // namespace twostroke

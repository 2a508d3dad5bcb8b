#include "measure/http_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "base/clock.h"

namespace twostroke {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = size_t{64} << 10;
constexpr int64_t kNsPerMs = 1'000'000;

}  // namespace

int64_t steady_now_ns() {
  return SteadyClock().now_ns();
}

// A socket and its patience: past the deadline it is closed, and whoever waits on it hears so.
class HttpConnections::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& io, std::unordered_set<Connection*>& open)
      : socket(io), timer_(io), open_(open) {
    open_.insert(this);
  }
  ~Connection() { open_.erase(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // At most `total` from now, and at most `idle` between two calls of touch(). Replaces what was.
  void arm(int64_t idle_ms, int64_t total_ms) {
    idle_ns_ = idle_ms * kNsPerMs;
    end_ns_ = steady_now_ns() + total_ms * kNsPerMs;
    touched_ns_ = steady_now_ns();
    timed_out = false;
    ++epoch_;
    wait();
  }
  void touch(int64_t now_ns) { touched_ns_ = now_ns; }
  void disarm() {
    ++epoch_;
    timer_.cancel();
  }
  void close() {
    error_code ignored;
    socket.close(ignored);
  }

  tcp::socket socket;
  bool connected = false;
  bool timed_out = false;
  bool in_total = false;  // which patience ended
  std::array<char, kReadBytes> buffer;

 private:
  // Activity only moves a number; the timer looks at it when it fires.
  void wait() {
    const int64_t due_ns = std::min(end_ns_, touched_ns_ + idle_ns_);
    timer_.expires_at(asio::steady_timer::time_point(std::chrono::nanoseconds(due_ns)));
    timer_.async_wait([weak = weak_from_this(), epoch = epoch_](error_code error) {
      const auto self = weak.lock();
      if (error || !self || self->epoch_ != epoch) return;
      if (steady_now_ns() < std::min(self->end_ns_, self->touched_ns_ + self->idle_ns_)) {
        self->wait();
        return;
      }
      self->timed_out = true;
      self->in_total = steady_now_ns() >= self->end_ns_;
      self->close();
    });
  }

  asio::steady_timer timer_;
  std::unordered_set<Connection*>& open_;
  uint64_t epoch_ = 0;
  int64_t idle_ns_ = 0;
  int64_t end_ns_ = 0;
  int64_t touched_ns_ = 0;
};

HttpConnections::HttpConnections(asio::io_context& io, ServerUrl url, HttpClientOptions options)
    : io_(io), url_(std::move(url)), options_(std::move(options)) {}
HttpConnections::~HttpConnections() = default;

Status HttpConnections::resolve() {
  error_code error;
  tcp::resolver resolver(io_);
  const auto found = resolver.resolve(url_.host, url_.port, error);
  if (error) {
    return Error{ErrorCode::kIo, fmt::format("cannot look up {}: {}", url_.host, error.message()),
                 "url"};
  }
  endpoints_.clear();
  for (const auto& entry : found) endpoints_.push_back(entry.endpoint());
  return {};
}

std::string HttpConnections::format(const HttpRequestText& request) const {
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: twostroke\r\nAccept: */*\r\n",
                  request.method, request.target, url_.host_header());
  if (!options_.api_key.empty()) text += "Authorization: Bearer " + options_.api_key + "\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  if (request.method == "POST") {
    text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n",
                        request.body.size());
  }
  return text + "\r\n" + request.body;
}

asio::awaitable<ExchangeOutcome> HttpConnections::run(const HttpRequestText& request,
                                                      ResponseSink& sink) {
  if (endpoints_.empty()) {
    const Status status = resolve();
    if (!status.ok()) co_return ExchangeOutcome{ExchangeEnd::kConnect, status.error().message};
  }
  const std::string text = format(request);
  if (!idle_.empty()) {
    const std::shared_ptr<Connection> connection = idle_.back();
    idle_.pop_back();
    bool untouched = false;
    ExchangeOutcome outcome = co_await attempt(connection, text, sink, &untouched);
    if (outcome.end != ExchangeEnd::kDisconnected || !untouched) co_return outcome;
  }
  bool untouched = false;
  co_return co_await attempt(std::make_shared<Connection>(io_, open_), text, sink, &untouched);
}

asio::awaitable<ExchangeOutcome> HttpConnections::connect(Connection& connection) {
  connection.arm(options_.connect_timeout_ms, options_.connect_timeout_ms);
  const auto [error, endpoint] =
      co_await asio::async_connect(connection.socket, endpoints_, kAwait);
  connection.disarm();
  if (error && connection.timed_out) {
    co_return ExchangeOutcome{
        ExchangeEnd::kTimeout,
        fmt::format("no connection to {} in {} ms", url_.text(), options_.connect_timeout_ms)};
  }
  if (error) {
    co_return ExchangeOutcome{ExchangeEnd::kConnect, fmt::format("cannot connect to {}: {}",
                                                                 url_.text(), error.message())};
  }
  error_code ignored;
  connection.socket.set_option(tcp::no_delay(true), ignored);
  connection.connected = true;
  co_return ExchangeOutcome{};
}

// Reads one response. The error is eof when the close was the end of the body.
asio::awaitable<error_code> HttpConnections::receive(Connection& connection,
                                                     HttpResponseParser& parser, ResponseSink& sink,
                                                     Status* bad) {
  size_t body_bytes = 0;
  bool head_told = false;
  while (!parser.is_done() && !parser.was_stopped()) {
    const auto [error, size] =
        co_await connection.socket.async_read_some(asio::buffer(connection.buffer), kAwait);
    const int64_t now_ns = steady_now_ns();
    if (error) co_return error;
    connection.touch(now_ns);
    const auto tell_head = [&] {
      if (!std::exchange(head_told, true)) sink.on_head(parser.head(), now_ns);
    };
    *bad = parser.feed({connection.buffer.data(), size}, [&](std::string_view bytes) {
      tell_head();
      body_bytes += bytes.size();
      return body_bytes <= options_.max_body_bytes && sink.on_body(bytes, now_ns);
    });
    if (bad->ok() && body_bytes > options_.max_body_bytes) {
      *bad = Error{ErrorCode::kTooLarge,
                   fmt::format("a response of more than {} bytes", options_.max_body_bytes), ""};
    }
    if (!bad->ok()) co_return error_code{};
    if (parser.has_head()) tell_head();
  }
  co_return error_code{};
}

ExchangeOutcome HttpConnections::failure(const Connection& connection, const error_code& error) {
  if (!connection.timed_out) {
    return {ExchangeEnd::kDisconnected,
            error == asio::error::eof ? "the server closed the connection" : error.message()};
  }
  return {ExchangeEnd::kTimeout,
          connection.in_total ? fmt::format("not finished in {} ms", options_.total_timeout_ms)
                              : fmt::format("nothing came for {} ms", options_.idle_timeout_ms)};
}

asio::awaitable<ExchangeOutcome> HttpConnections::attempt(
    const std::shared_ptr<Connection>& connection, const std::string& text, ResponseSink& sink,
    bool* untouched) {
  *untouched = true;
  const bool reused = connection->connected;
  if (!reused) {
    ExchangeOutcome outcome = co_await connect(*connection);
    if (outcome.end != ExchangeEnd::kComplete) co_return outcome;
  }
  sink.on_connected(steady_now_ns(), reused);
  connection->arm(options_.idle_timeout_ms, options_.total_timeout_ms);
  const auto [write_error, written] =
      co_await asio::async_write(connection->socket, asio::buffer(text), kAwait);
  HttpResponseParser parser;
  Status bad;
  // A server may answer (413, 429) and close before it has read everything: look for the answer.
  error_code error = write_error;
  if (!connection->timed_out) error = co_await receive(*connection, parser, sink, &bad);
  connection->disarm();
  *untouched = !parser.has_bytes();
  const bool ended_by_close = error == asio::error::eof && parser.feed_end().ok();
  const bool complete = parser.is_done() && bad.ok();
  if (!complete || write_error || ended_by_close || !parser.head().keep_alive ||
      parser.has_surplus()) {
    connection->close();
  } else {
    idle_.push_back(connection);
  }
  if (!bad.ok()) co_return ExchangeOutcome{ExchangeEnd::kMalformed, bad.error().message};
  if (parser.was_stopped()) co_return ExchangeOutcome{ExchangeEnd::kStopped, ""};
  if (!complete) co_return failure(*connection, error);
  co_return ExchangeOutcome{};
}

void HttpConnections::close_all() {
  idle_.clear();
  for (Connection* connection : open_) connection->close();
}

}  // namespace twostroke

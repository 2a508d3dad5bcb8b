#include "server/http_connection.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <random>
#include <utility>

#include "server/router.h"
#include "server/server_log.h"
#include "server/waker.h"

namespace twostroke {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 16 << 10;

std::string new_request_id() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return fmt::format("{:016x}", generator());
}

// A client's own id is repeated in headers and logs, so it must be harmless there.
std::string request_id_of(std::string_view offered) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const bool usable = !offered.empty() && offered.size() <= 128 &&
                      offered.find_first_not_of(kAllowed) == std::string_view::npos;
  return usable ? std::string(offered) : new_request_id();
}

// "/v1/models?x=1" and "http://host/v1/models" -> "/v1/models".
std::string path_of(std::string_view target) {
  if (const size_t scheme = target.find("://");
      scheme != std::string_view::npos && target.front() != '/') {
    const size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return std::string(target.substr(0, target.find_first_of("?#")));
}

// "/v1/trace?seconds=5#x" -> "seconds=5".
std::string query_of(std::string_view target) {
  const size_t begin = target.find('?');
  if (begin == std::string_view::npos) return {};
  target.remove_prefix(begin + 1);
  return std::string(target.substr(0, target.find('#')));
}

asio::awaitable<Reply> dispatch_on_intake(const HttpRequest& request, const Serving& serving) {
  try {
    co_return dispatch(request, serving);
  } catch (const std::exception&
               error) {  // bad_alloc, or a library's surprise: this request fails alone
    server_log().error("{} {} failed: {}", request.id, request.path, error.what());
  }
  co_return fault_reply(HttpFault::kInternal, "internal error; the log has the details");
}

}  // namespace

// One request and what is known about its reply.
struct HttpConnection::Exchange {
  HttpRequest request;
  bool http_1_0 = false;
  bool keep_alive = false;
  size_t reserved_bytes = 0;  // of shared.bodies_bytes
  int status = 0;
  int64_t sent_bytes = 0;
  std::string described;
};

HttpConnection::HttpConnection(Socket socket, ConnectionShared& shared, bool over_limit)
    : socket_(std::move(socket)),
      shared_(shared),
      over_limit_(over_limit),
      buffer_(shared.options.max_header_bytes + shared.options.max_pipelined_bytes +
              4 * kReadBytes),
      deadline_(shared.io),
      news_(shared.io) {
  shared_.open.insert(this);
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true),
                     ignored);  // a token must not wait for the next one
  socket_.non_blocking(true, ignored);
}

HttpConnection::~HttpConnection() {
  set_busy(false);
  if (waker_) waker_->detach();
  shared_.open.erase(this);
}

void HttpConnection::start() {
  waker_ = std::make_shared<Waker>(shared_.io, weak_from_this());
  asio::co_spawn(shared_.io, run(), [self = shared_from_this()](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      server_log().error("connection closed: {}", error.what());
    }
  });
}

asio::awaitable<void> HttpConnection::run() {
  while (!closed_ && co_await wait_first_byte()) {
    set_busy(true);
    const bool more = co_await serve_one();
    set_busy(false);
    if (!more || shared_.draining) break;
  }
  co_await linger();
}

asio::awaitable<bool> HttpConnection::wait_first_byte() {
  if (buffer_.size() > 0) co_return true;
  // A new connection is about to ask something; one that is kept alive may think about it.
  arm(std::exchange(first_request_, false) ? shared_.options.header_timeout_ms
                                           : shared_.options.idle_timeout_ms);
  const auto [error, count] = co_await socket_.async_read_some(buffer_.prepare(kReadBytes), kAwait);
  disarm();
  if (error) co_return false;
  buffer_.commit(count);
  co_return true;
}

asio::awaitable<bool> HttpConnection::serve_one() {
  Exchange exchange;
  exchange.request.received_ns = shared_.clock.now_ns();
  exchange.request.wake = [waker = waker_] { waker->wake(); };
  const bool readable = co_await read_request(exchange);
  const bool answered = readable && co_await answer(exchange);
  shared_.bodies_bytes -= std::exchange(exchange.reserved_bytes, 0);
  if (exchange.status != 0) {
    const double ms =
        static_cast<double>(shared_.clock.now_ns() - exchange.request.received_ns) / 1e6;
    server_log().info("{} {} {} {} bytes={} ms={:.1f}{}{}{}", exchange.request.id,
                      exchange.request.method, exchange.request.path.substr(0, 128),
                      exchange.status, exchange.sent_bytes, ms,
                      exchange.described.empty() ? "" : " ", exchange.described,
                      answered || !readable ? "" : " client gone");
  }
  co_return answered&& exchange.keep_alive;
}

asio::awaitable<bool> HttpConnection::read_request(Exchange& exchange) {
  Parser parser;
  parser.header_limit(static_cast<uint32_t>(shared_.options.max_header_bytes));
  parser.body_limit(shared_.options.max_body_bytes);
  arm(shared_.options.header_timeout_ms);
  const auto [error, count] = co_await http::async_read_header(socket_, buffer_, parser, kAwait);
  disarm();
  const auto& header = parser.get();
  exchange.request.id = request_id_of(header["X-Request-Id"]);
  exchange.request.method = std::string(header.method_string());
  if (error) co_return co_await refuse_unreadable(error, exchange);
  if (count > shared_.options.max_header_bytes) {  // Beast looks at its limit only now and then
    co_return co_await refuse_unreadable(http::error::header_limit, exchange);
  }
  if (header.target().empty()) {
    co_return co_await refuse(HttpFault::kMalformedRequest, "the request has no target", exchange);
  }
  exchange.request.path = path_of(header.target());
  exchange.request.query = query_of(header.target());
  exchange.request.accept_encoding = std::string(header[http::field::accept_encoding]);
  exchange.request.if_none_match = std::string(header[http::field::if_none_match]);
  exchange.http_1_0 = header.version() == 10;
  exchange.keep_alive = header.keep_alive();
  if (over_limit_) {
    co_return co_await refuse(
        HttpFault::kTooManyConnections,
        fmt::format("the server has {} connections, its limit", shared_.options.max_connections),
        exchange);
  }
  co_return co_await read_body(parser, exchange);
}

asio::awaitable<bool> HttpConnection::read_body(Parser& parser, Exchange& exchange) {
  if (const auto expect = parser.get()[http::field::expect]; !expect.empty() && !parser.is_done()) {
    if (!boost::beast::iequals(expect, "100-continue")) {
      co_return co_await refuse(HttpFault::kExpectationFailed, "only 100-continue can be expected",
                                exchange);
    }
    if (!co_await write_all("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
  }
  // A chunked body says its size last, so it is counted as the largest until it is there.
  const size_t announced =
      parser.content_length().value_or(parser.chunked() ? shared_.options.max_body_bytes : 0);
  if (shared_.bodies_bytes + announced > shared_.options.max_bodies_bytes) {
    co_return co_await refuse(
        HttpFault::kTooManyConnections,
        fmt::format("the requests being read have more than {} bytes together",
                    shared_.options.max_bodies_bytes),
        exchange);
  }
  shared_.bodies_bytes += exchange.reserved_bytes = announced;
  arm(shared_.options.body_timeout_ms);
  const auto [error, count] = co_await http::async_read(socket_, buffer_, parser, kAwait);
  disarm();
  if (error) co_return co_await refuse_unreadable(error, exchange);
  exchange.request.body = std::move(parser.get().body());
  shared_.bodies_bytes -= exchange.reserved_bytes - exchange.request.body.size();
  exchange.reserved_bytes = exchange.request.body.size();
  co_return true;
}

asio::awaitable<bool> HttpConnection::refuse_unreadable(error_code error, Exchange& exchange) {
  const ServerOptions& options = shared_.options;
  if (timed_out_) {
    co_return co_await refuse(
        HttpFault::kTimeout,
        fmt::format("the request did not arrive in time: header {} ms, body {} ms",
                    options.header_timeout_ms, options.body_timeout_ms),
        exchange);
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    co_return co_await refuse(
        HttpFault::kHeaderTooLarge,
        fmt::format("the header has more than {} bytes", options.max_header_bytes), exchange);
  }
  if (error == http::error::body_limit) {
    co_return co_await refuse(
        HttpFault::kBodyTooLarge,
        fmt::format("the body has more than {} bytes", options.max_body_bytes), exchange);
  }
  const bool left = error == http::error::end_of_stream || error == http::error::partial_message;
  if (left || error.category() != http::make_error_code(http::error::bad_method).category())
    co_return false;
  co_return co_await refuse(HttpFault::kMalformedRequest,
                            fmt::format("not an HTTP request: {}", error.message()), exchange);
}

asio::awaitable<bool> HttpConnection::refuse(HttpFault fault, std::string message,
                                             Exchange& exchange) {
  const Reply reply = fault_reply(fault, message, error_style_of(exchange.request.path));
  exchange.keep_alive = false;
  co_await send_whole(reply, reply.status, reply.body, exchange);
  co_return false;
}

asio::awaitable<bool> HttpConnection::answer(Exchange& exchange) {
  HttpRequest& request = exchange.request;
  const ServingState::Snapshot snapshot = shared_.state.snapshot();
  const Serving serving{shared_.options,
                        shared_.clock,
                        snapshot.context ? &*snapshot.context : nullptr,
                        snapshot.loading,
                        &shared_.state.prompts(),
                        shared_.state.responses()};
  cancelled_ = false;
  Reply reply;
  if (is_quick(request)) {
    reply = dispatch(request, serving);
  } else {
    watch();
    reply = co_await asio::co_spawn(shared_.intake, dispatch_on_intake(request, serving),
                                    asio::use_awaitable);
  }
  shared_.bodies_bytes -= std::exchange(exchange.reserved_bytes, 0);
  std::string().swap(request.body);
  if (shared_.draining) exchange.keep_alive = false;
  bool sent = false;
  if (reply.source) {
    sent = co_await send_source(reply, exchange);
  } else {
    sent = co_await send_whole(reply, reply.status, reply.body, exchange);
  }
  stop_watch();
  co_return sent;
}

asio::awaitable<bool> HttpConnection::send_source(Reply& reply, Exchange& exchange) {
  ReplySource& source = *reply.source;
  source_ = &source;
  if (cancelled_ || gone()) source.cancel();
  bool sent = false;
  if (source.streams()) {
    sent = co_await send_stream(reply, exchange);
  } else {
    std::string body;
    for (;;) {
      news_arrived_ = false;
      if (source.poll(body)) {
        if (shared_.draining) exchange.keep_alive = false;
        sent = co_await send_whole(reply, source.status(), body, exchange);
        if (sent) tell_sent(source);
        break;
      }
      co_await wait_for_news(shared_.options.ping_interval_ms);
      if (gone()) break;
    }
  }
  if (!sent) {
    source.on_gone(end_reason(), shared_.clock.now_ns());
    source.cancel();
  }
  exchange.status = source.status();
  exchange.described = source.describe();
  source_ = nullptr;
  co_return sent;
}

asio::awaitable<bool> HttpConnection::send_stream(Reply& reply, Exchange& exchange) {
  if (exchange.http_1_0) exchange.keep_alive = false;
  const bool chunked = !exchange.http_1_0;
  const ResponseFraming framing{exchange.http_1_0, exchange.keep_alive, chunked, -1};
  if (!co_await write_all(format_head(reply, 200, exchange.request.id, framing))) co_return false;
  std::string events;
  std::string framed;
  const int interval_ms = reply.source->poll_interval_ms();
  int quiet_ms = 0;  // nothing was written for so long
  for (bool done = false; !done;) {
    events.clear();
    news_arrived_ = false;
    done = reply.source->poll(events);
    if (events.empty() && !done) {
      const int wait_ms = interval_ms > 0 ? interval_ms : shared_.options.ping_interval_ms;
      if (co_await wait_for_news(wait_ms)) continue;
      if (gone()) co_return false;
      quiet_ms += wait_ms;
      if (quiet_ms < shared_.options.ping_interval_ms) continue;
      events = ": still working\n\n";
    }
    quiet_ms = 0;
    framed.clear();
    if (chunked) {
      append_chunk(framed, events);
      if (done) framed += kLastChunk;
    }
    exchange.sent_bytes += static_cast<int64_t>(events.size());
    if (gone() || !co_await write_all(chunked ? framed : events)) co_return false;
    tell_sent(*reply.source);
    if (interval_ms > 0 && !done) co_await wait_for_news(interval_ms);
  }
  co_return true;
}

void HttpConnection::tell_sent(ReplySource& source) {
  source.on_sent(shared_.clock.now_ns(), blocked_from_ns_);
}

RequestEnd HttpConnection::end_reason() const {
  if (peer_gone_) return RequestEnd::kDisconnect;
  if (timed_out_) return RequestEnd::kWriteTimeout;
  return cancelled_ || closed_ ? RequestEnd::kCancelled : RequestEnd::kDisconnect;
}

asio::awaitable<bool> HttpConnection::send_whole(const Reply& reply, int status,
                                                 std::string_view body, Exchange& exchange) {
  const int64_t length = status == 204 || status == 304 ? -1 : static_cast<int64_t>(body.size());
  std::string bytes = format_head(reply, status, exchange.request.id,
                                  {exchange.http_1_0, exchange.keep_alive, false, length});
  if (exchange.request.method != "HEAD") bytes += body;
  exchange.status = status;
  exchange.sent_bytes = static_cast<int64_t>(body.size());
  co_return co_await write_all(bytes);
}

asio::awaitable<bool> HttpConnection::wait_for_news(int timeout_ms) {
  if (news_arrived_ || gone()) co_return news_arrived_;
  news_.expires_after(std::chrono::milliseconds(timeout_ms));
  co_await news_.async_wait(kAwait);
  co_return news_arrived_;
}

asio::awaitable<bool> HttpConnection::write_all(std::string_view data) {
  blocked_from_ns_ = -1;
  while (!data.empty()) {
    error_code error;
    const size_t count = socket_.write_some(asio::buffer(data), error);
    data.remove_prefix(count);
    if (error == asio::error::would_block) {
      if (blocked_from_ns_ < 0) blocked_from_ns_ = shared_.clock.now_ns();
      arm(shared_.options.write_timeout_ms);
      const auto [failed] = co_await socket_.async_wait(Socket::wait_write, kAwait);
      disarm();
      error = failed;
    }
    if (error || closed_) co_return false;
  }
  co_return true;
}

// Closing while the client still sends would reset the connection and lose the reply on its way.
asio::awaitable<void> HttpConnection::linger() {
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  arm(shared_.options.linger_timeout_ms);
  std::string scratch(kReadBytes, '\0');
  while (!error && !closed_ && !timed_out_ && !peer_gone_) {
    const auto [failed, count] = co_await socket_.async_read_some(asio::buffer(scratch), kAwait);
    error = failed;
  }
  disarm();
  close();
}

void HttpConnection::set_busy(bool busy) {
  if (busy_ == busy) return;
  busy_ = busy;
  shared_.busy_changed(busy ? 1 : -1);
}

void HttpConnection::close_if_idle() {
  if (!busy_) close();
}

void HttpConnection::cancel_reply() {
  cancelled_ = true;
  if (source_ != nullptr) source_->cancel();
}

void HttpConnection::close() {
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
  on_wake();
}

void HttpConnection::on_wake() {
  news_arrived_ = true;
  news_.cancel();
}

void HttpConnection::watch() {
  if (buffer_.size() >= shared_.options.max_pipelined_bytes) return;
  socket_.async_wait(Socket::wait_read,
                     [self = shared_from_this(), epoch = watch_epoch_](error_code error) {
                       if (!error && epoch == self->watch_epoch_) self->on_readable();
                     });
}

void HttpConnection::on_readable() {
  error_code error;
  const size_t count = socket_.read_some(buffer_.prepare(kReadBytes), error);
  buffer_.commit(count);
  if (!error || error == asio::error::would_block) return watch();
  peer_gone_ = true;
  socket_.cancel(error);  // a write to nobody
  on_wake();
}

void HttpConnection::stop_watch() {
  ++watch_epoch_;
  error_code ignored;
  socket_.cancel(ignored);
}

void HttpConnection::arm(int timeout_ms) {
  timed_out_ = false;
  deadline_.expires_after(std::chrono::milliseconds(timeout_ms));
  deadline_.async_wait([weak = weak_from_this(), epoch = ++deadline_epoch_](error_code error) {
    const auto self = weak.lock();
    if (error || !self || epoch != self->deadline_epoch_) return;
    self->timed_out_ = true;
    error_code ignored;
    self->socket_.cancel(ignored);
  });
}

void HttpConnection::disarm() {
  ++deadline_epoch_;
  deadline_.cancel();
}

}  // namespace twostroke

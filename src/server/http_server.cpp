#include "server/http_server.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/http_connection.h"
#include "server/server_log.h"

namespace twostroke {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Connections past the limit that are still told so; beyond these the door is simply shut.
constexpr size_t kMaxRefusals = 64;
// After the drain timeout: for cancelled replies to say so, and for sockets to close.
constexpr auto kCancelGrace = std::chrono::milliseconds(1000);

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const ServerOptions& options, const Clock& clock)
      : options_(options),
        shared_{options_, clock, state_, io_, intake_, [this](int delta) { change_busy(delta); }},
        intake_(static_cast<size_t>(std::max(1, options.num_intake_threads))),
        acceptor_(io_) {}

  ~Impl() { stop(std::chrono::milliseconds(0)); }

  // An error is the system's word for what went wrong.
  error_code bind() {
    error_code error;
    const auto address = asio::ip::make_address(options_.host, error);
    if (error) return error;
    const tcp::endpoint endpoint(address, options_.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    return error;
  }

  void run() {
    asio::co_spawn(io_, accept_loop(), asio::detached);
    io_thread_ = std::thread([this] { io_.run(); });
  }

  bool stop(std::chrono::milliseconds drain_timeout) {
    if (!io_thread_.joinable()) return true;
    asio::post(io_, [this] {
      shared_.draining = true;
      error_code ignored;
      acceptor_.close(ignored);
      for_each_open([](HttpConnection& it) { it.close_if_idle(); });
    });
    const bool drained = wait_until_idle(drain_timeout);
    if (!drained) {
      asio::post(io_, [this] { for_each_open([](HttpConnection& it) { it.cancel_reply(); }); });
      wait_until_idle(kCancelGrace);
    }
    asio::post(io_, [this] { for_each_open([](HttpConnection& it) { it.close(); }); });
    intake_.join();  // what is being prepared still refers to us
    wait_until_idle(kCancelGrace);
    io_.stop();
    io_thread_.join();
    return drained;
  }

  ServingState& state() { return state_; }
  uint16_t port() const { return port_; }
  std::string url() const {
    const bool is_v6 = options_.host.find(':') != std::string::npos;
    return is_v6 ? fmt::format("http://[{}]:{}", options_.host, port_)
                 : fmt::format("http://{}:{}", options_.host, port_);
  }

 private:
  asio::awaitable<void> accept_loop() {
    constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
    const auto limit = static_cast<size_t>(options_.max_connections);
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
      if (error) {  // out of descriptors, most likely: others must close first
        server_log().warn("cannot accept a connection: {}", error.message());
        asio::steady_timer pause(io_, std::chrono::milliseconds(50));
        co_await pause.async_wait(kAwait);
        continue;
      }
      if (shared_.open.size() >= limit + kMaxRefusals) continue;  // closes the socket
      std::make_shared<HttpConnection>(std::move(socket), shared_, shared_.open.size() >= limit)
          ->start();
    }
  }

  // A connection may go away while it is told something.
  template <typename F>
  void for_each_open(F act) {
    std::vector<std::shared_ptr<HttpConnection>> open;
    for (HttpConnection* it : shared_.open) {
      if (auto alive = it->weak_from_this().lock()) open.push_back(std::move(alive));
    }
    for (const auto& it : open) act(*it);
  }

  void change_busy(int delta) {
    const std::lock_guard lock(busy_mutex_);
    num_busy_ += delta;
    busy_changed_.notify_all();
  }

  bool wait_until_idle(std::chrono::milliseconds timeout) {
    std::unique_lock lock(busy_mutex_);
    return busy_changed_.wait_for(lock, timeout, [this] { return num_busy_ == 0; });
  }

  const ServerOptions options_;
  ServingState state_;
  std::mutex busy_mutex_;
  std::condition_variable busy_changed_;
  int num_busy_ = 0;
  uint16_t port_ = 0;
  ConnectionShared shared_;  // before io_, which destroys the last connections
  asio::thread_pool intake_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  tcp::acceptor acceptor_;
  std::thread io_thread_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const ServerOptions& options,
                                                      const Clock& clock) {
  auto impl = std::make_unique<Impl>(options, clock);
  if (const error_code error = impl->bind()) {
    return Error{
        ErrorCode::kIo,
        fmt::format("cannot listen on {}:{}: {}", options.host, options.port, error.message()),
        "port"};
  }
  impl->run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::port() const {
  return impl_->port();
}
std::string HttpServer::url() const {
  return impl_->url();
}
void HttpServer::set_loading(std::string what) {
  impl_->state().set_loading(std::move(what));
}
void HttpServer::set_ready(const ServerContext& context) {
  impl_->state().set_ready(context);
}
bool HttpServer::stop(int drain_timeout_ms) {
  return impl_->stop(std::chrono::milliseconds(drain_timeout_ms));
}

}  // namespace twostroke

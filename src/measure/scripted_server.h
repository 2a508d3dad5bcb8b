// ScriptedServer: answers each request with the bytes a test wrote, at the times it wrote, and says
// when they really left. Test code; a thread per connection.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "measure/http_exchange.h"
#include "measure/json_value.h"

namespace twostroke {

struct ScriptedRequest {
  int index = 0;  // of all requests, in order of arrival
  std::string method;
  std::string path;
  std::string headers;
  Json body;
};

struct ScriptedStep {
  double at_ms = 0;  // after the request was read; in the past: at once
  std::string bytes;
  bool then_close = false;
  bool then_reset = false;
};

struct ScriptedExchange {
  ScriptedRequest request;
  int connection = 0;
  int64_t received_ns = 0;
  std::vector<int64_t> sent_ns;  // per step, just before the bytes were handed to the socket
};

class ScriptedServer {
 public:
  using Script = std::function<std::vector<ScriptedStep>(const ScriptedRequest&)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    socklen_t size = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    CHECK(listen(listener_, 1024) == 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() { stop(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // Connections are refused and cut from here on: the server is dead.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      wake_.notify_all();
      for (const auto& [id, fd] : open_) shutdown(fd, SHUT_RDWR);
    }
    shutdown(listener_, SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    if (listener_ >= 0) close(std::exchange(listener_, -1));
  }

  ServerUrl url() const { return {"127.0.0.1", std::to_string(port_), ""}; }
  std::vector<ScriptedExchange> exchanges() const {
    const std::lock_guard lock(mutex_);
    return exchanges_;
  }
  // Those with a path that ends so: "/completions".
  std::vector<ScriptedExchange> exchanges(std::string_view path_end) const {
    std::vector<ScriptedExchange> found;
    for (ScriptedExchange& exchange : exchanges()) {
      if (exchange.request.path.ends_with(path_end)) found.push_back(std::move(exchange));
    }
    return found;
  }

 private:
  void accept_all() {
    for (int id = 0;; ++id) {
      const int fd = accept(listener_, nullptr, nullptr);
      const std::lock_guard lock(mutex_);
      if (fd < 0 || stopping_) {
        if (fd >= 0) close(fd);
        return;
      }
      open_[id] = fd;
      threads_.emplace_back([this, id, fd] {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        std::string unread;
        while (serve_one(id, fd, unread)) {
        }
        const std::lock_guard done(mutex_);
        open_.erase(id);
        close(fd);
      });
    }
  }

  bool serve_one(int id, int fd, std::string& unread) {
    ScriptedRequest request;
    if (!read_request(fd, unread, request)) return false;
    const int64_t received_ns = steady_now_ns();
    size_t place = 0;
    {
      const std::lock_guard lock(mutex_);
      place = exchanges_.size();
      request.index = static_cast<int>(place);
      exchanges_.push_back({request, id, received_ns, {}});
    }
    for (const ScriptedStep& step : script_(request)) {
      const auto due = std::chrono::steady_clock::time_point(
          std::chrono::nanoseconds(received_ns + static_cast<int64_t>(step.at_ms * 1e6)));
      {
        std::unique_lock lock(mutex_);
        if (wake_.wait_until(lock, due, [&] { return stopping_; })) return false;
        exchanges_[place].sent_ns.push_back(steady_now_ns());
      }
      if (!send_all(fd, step.bytes)) return false;
      if (step.then_reset) {
        const linger reset{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
      }
      if (step.then_close || step.then_reset) return false;
    }
    return true;
  }

  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  static bool read_request(int fd, std::string& unread, ScriptedRequest& request) {
    size_t head_end = 0;
    while ((head_end = unread.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(fd, unread)) return false;
    }
    request.headers = unread.substr(0, head_end + 2);
    const size_t space = request.headers.find(' ');
    request.method = request.headers.substr(0, space);
    request.path =
        request.headers.substr(space + 1, request.headers.find(' ', space + 1) - space - 1);
    constexpr std::string_view kLength = "Content-Length: ";
    const size_t at = request.headers.find(kLength);
    const size_t length =
        at == std::string::npos
            ? 0
            : std::strtoul(request.headers.c_str() + at + kLength.size(), nullptr, 10);
    while (unread.size() < head_end + 4 + length) {
      if (!read_more(fd, unread)) return false;
    }
    const Result<Json> body = parse_json_text(unread.substr(head_end + 4, length));
    if (body.ok()) request.body = *body;
    unread.erase(0, head_end + 4 + length);
    return true;
  }

  static bool read_more(int fd, std::string& unread) {
    char bytes[16384];
    const ssize_t count = recv(fd, bytes, sizeof(bytes), 0);
    if (count > 0) unread.append(bytes, static_cast<size_t>(count));
    return count > 0;
  }

  Script script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> threads_;  // grown by the acceptor, joined after it
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::map<int, int> open_;  // connection, socket
  std::vector<ScriptedExchange> exchanges_;
};

// Pieces of a reply, as text.
inline std::string chunk_of(std::string_view data) {
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}
inline std::string stream_head() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
}
inline std::string stream_end() {
  return chunk_of("data: [DONE]\n\n") + "0\r\n\r\n";
}
inline std::string event_of(std::string_view json) {
  return chunk_of(fmt::format("data: {}\n\n", json));
}
inline std::string whole_reply(int status, std::string_view json, std::string_view headers = "") {
  return fmt::format(
      "HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}", status,
      json.size(), headers, json);
}

}  // namespace twostroke

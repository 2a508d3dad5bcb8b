// RawHttpClient: a blocking socket that says exactly what a test wants said, well formed or not.
// Test code.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace twostroke {

struct RawResponse {
  int status = 0;
  std::string head;  // with the status line, without the empty line
  std::string body;  // chunks put together
};

class RawHttpClient {
 public:
  // `receive_buffer_bytes` > 0 makes the window small, for clients that do not read.
  explicit RawHttpClient(uint16_t port, int receive_buffer_bytes = 0)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
    }
    const timeval patience{60, 0};  // a hang fails the test instead of the run
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawHttpClient() { close(); }
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  bool connected() const { return connected_; }

  // False when the server closed before everything was sent.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  bool post(std::string_view path, std::string_view body, std::string_view headers = "") {
    return send("POST " + std::string(path) +
                " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                std::string(headers) + "\r\n" + std::string(body));
  }
  bool get(std::string_view path, std::string_view method = "GET") {
    return send(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  // Reads until `text` has arrived; false when the connection ended before. What came stays in
  // received().
  bool read_until(std::string_view text) {
    while (received_.find(text) == std::string::npos) {
      if (!read_more()) return false;
    }
    return true;
  }
  // True when the server closed the connection (after whatever it still sent).
  bool read_to_end() {
    while (read_more()) {
    }
    return ended_;
  }
  const std::string& received() const { return received_; }

  // The next whole response; nothing when the connection ended in the middle. `head_only` for HEAD.
  std::optional<RawResponse> response(bool head_only = false) {
    if (!read_until("\r\n\r\n")) return std::nullopt;
    RawResponse out;
    const size_t head_end = received_.find("\r\n\r\n");
    out.head = received_.substr(0, head_end);
    received_.erase(0, head_end + 4);
    out.status = std::atoi(out.head.c_str() + sizeof("HTTP/1.1"));
    if (head_only || out.status == 204 || out.status == 100) return out;
    if (out.head.find("Transfer-Encoding: chunked") != std::string::npos) {
      return read_chunks(out) ? std::optional(out) : std::nullopt;
    }
    const size_t length_at = out.head.find("Content-Length: ");
    if (length_at == std::string::npos) {
      read_to_end();
      out.body = std::exchange(received_, {});
      return out;
    }
    const size_t length =
        std::strtoul(out.head.c_str() + length_at + sizeof("Content-Length: ") - 1, nullptr, 10);
    while (received_.size() < length) {
      if (!read_more()) return std::nullopt;
    }
    out.body = received_.substr(0, length);
    received_.erase(0, length);
    return out;
  }

  // With a reset instead of a farewell.
  void abort() {
    const linger reset{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  bool read_more() {
    char bytes[16384];
    const ssize_t count = recv(fd_, bytes, sizeof(bytes), 0);
    if (count > 0) received_.append(bytes, static_cast<size_t>(count));
    ended_ = count == 0 || (count < 0 && errno == ECONNRESET);
    return count > 0;
  }

  bool read_chunks(RawResponse& out) {
    for (;;) {
      if (!read_until("\r\n")) return false;
      const size_t line_end = received_.find("\r\n");
      const size_t length = std::strtoul(received_.c_str(), nullptr, 16);
      while (received_.size() < line_end + 2 + length + 2) {
        if (!read_more()) return false;
      }
      out.body += received_.substr(line_end + 2, length);
      received_.erase(0, line_end + 2 + length + 2);
      if (length == 0) return true;
    }
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string received_;
};

}  // namespace twostroke

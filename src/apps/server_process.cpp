#include "apps/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "measure/http_client.h"

namespace twostroke {
namespace {

constexpr std::string_view kPortMark = "{port}";
constexpr size_t kShownOutputBytes = 2000;
constexpr auto kPoll = std::chrono::milliseconds(50);

Error system_error(const char* what) {
  return {ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(errno)), "command"};
}

// Free a moment ago; the process we start takes it at once.
Result<int> free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return system_error("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(listener);
  if (!bound) return system_error("bind");
  return ntohs(address.sin_port);
}

std::string with_port(std::string command, int port) {
  for (size_t at = command.find(kPortMark); at != std::string::npos; at = command.find(kPortMark)) {
    command.replace(at, kPortMark.size(), std::to_string(port));
  }
  return command;
}

// The first "http://host:port" in a text, complete only when something follows it. 0.0.0.0 is where
// a server listens, not where it is reached.
std::string first_address(std::string_view text) {
  for (size_t at = text.find("http://"); at != std::string_view::npos;
       at = text.find("http://", at + 1)) {
    const size_t end = text.find_first_not_of(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", at + 7);
    if (end == std::string_view::npos) return {};
    std::string address(text.substr(at, end - at));
    while (address.ends_with('.')) address.pop_back();
    const size_t colon = address.rfind(':');
    if (colon < 7 || colon + 1 == address.size()) continue;
    if (const size_t any = address.find("//0.0.0.0:"); any != std::string::npos) {
      address.replace(any, 10, "//127.0.0.1:");
    }
    return address;
  }
  return {};
}

}  // namespace

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : options_(std::move(other.options_)),
      url_(std::move(other.url_)),
      pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)) {}

ServerProcess& ServerProcess::operator=(ServerProcess&& other) noexcept {
  std::swap(options_, other.options_);
  std::swap(url_, other.url_);
  std::swap(pid_, other.pid_);
  std::swap(output_, other.output_);
  return *this;
}

ServerProcess::~ServerProcess() {
  stop();
  if (output_ >= 0) ::close(output_);
}

Result<ServerProcess> ServerProcess::start(const ServerProcessOptions& options) {
  ServerProcess process(options);
  const bool port_is_known = options.command.find(kPortMark) != std::string::npos;
  std::string command = options.command;
  if (port_is_known) {
    const int port = TRY(free_port());
    command = with_port(command, port);
    process.url_ = {.host = "127.0.0.1", .port = std::to_string(port), .base_path = ""};
  }
  TRY(process.launch(command));
  TRY(process.wait_until_healthy(port_is_known));
  return process;
}

Status ServerProcess::launch(const std::string& command) {
  std::string path = "/tmp/twostroke-server-XXXXXX";
  output_ = ::mkostemp(path.data(), O_CLOEXEC);
  if (output_ < 0) return system_error("cannot make a file for the server's output");
  ::unlink(path.c_str());
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) return system_error("fork");
  if (pid_ == 0) {
    ::setpgid(0, 0);
    // If we are killed it must not stay behind.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(output_, STDOUT_FILENO);
    ::dup2(output_, STDERR_FILENO);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ::setpgid(pid_, pid_);
  return {};
}

bool ServerProcess::is_running() {
  if (pid_ < 0) return false;
  return ::waitpid(pid_, nullptr, WNOHANG) == 0;
}

std::string ServerProcess::last_output() const {
  struct stat status {};
  if (output_ < 0 || ::fstat(output_, &status) != 0) return {};
  const auto size = static_cast<size_t>(status.st_size);
  const size_t start = size > kShownOutputBytes ? size - kShownOutputBytes : 0;
  std::string text(size - start, '\0');
  const ssize_t got = ::pread(output_, text.data(), text.size(), static_cast<off_t>(start));
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

Result<bool> ServerProcess::is_healthy() {
  if (url_.port.empty()) {
    std::string printed(64 * 1024, '\0');
    const ssize_t got = ::pread(output_, printed.data(), printed.size(), 0);
    printed.resize(got > 0 ? static_cast<size_t>(got) : 0);
    const std::string address = first_address(printed);
    if (address.empty()) return false;
    url_ = TRY(parse_server_url(address));
  }
  HttpClient client(url_, {.connect_timeout_ms = 1000, .idle_timeout_ms = 5000});
  const Result<HttpReply> health = client.get("/health");
  if (!health.ok()) return false;
  if (health->head.status != 404) return health->ok();
  const Result<HttpReply> models = client.get("/v1/models");
  return models.ok() && models->ok();
}

Status ServerProcess::wait_until_healthy(bool port_is_known) {
  const SteadyClock clock;
  const int64_t deadline_ns = clock.now_ns() + int64_t{options_.start_timeout_s} * 1'000'000'000;
  while (clock.now_ns() < deadline_ns) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      pid_ = -1;
      return Error{ErrorCode::kIo,
                   fmt::format("`{}` ended before it served; the end of its output:\n{}",
                               options_.command, last_output()),
                   "command"};
    }
    if (TRY(is_healthy())) return {};
    std::this_thread::sleep_for(kPoll);
  }
  const char* hint = port_is_known || !url_.port.empty()
                         ? "its port never answered /health or /v1/models"
                         : "it printed no http://host:port; put {port} where its port belongs";
  return Error{ErrorCode::kIo,
               fmt::format("`{}` did not serve within {} s: {}; the end of its output:\n{}",
                           options_.command, options_.start_timeout_s, hint, last_output()),
               "command"};
}

void ServerProcess::stop() {
  if (pid_ < 0) return;
  ::kill(-pid_, SIGTERM);
  const SteadyClock clock;
  const int64_t deadline_ns = clock.now_ns() + int64_t{options_.stop_timeout_s} * 1'000'000'000;
  while (clock.now_ns() < deadline_ns) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) break;
    std::this_thread::sleep_for(kPoll);
  }
  // Whoever is left of its group, and it when it did not listen.
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace twostroke

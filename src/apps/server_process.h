// A server that we start from a command line, wait for, and stop: its own process group, its output
// in a file of ours.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "measure/server_url.h"

namespace twostroke {

struct ServerProcessOptions {
  // A shell's command; "{port}" becomes a free port. Without it the first http:// address that the
  // process prints is used.
  std::string command;
  int start_timeout_s = 120;
  int stop_timeout_s = 15;
};

class ServerProcess {
 public:
  // Starts it and waits until /health (or, where there is none, /v1/models) answers 200. The error
  // has the end of what it printed.
  static Result<ServerProcess> start(const ServerProcessOptions& options);
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&& other) noexcept;
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();  // stops it

  const ServerUrl& url() const { return url_; }
  bool is_running();
  // SIGTERM to the group, SIGKILL after the timeout. Nothing when it is over.
  void stop();
  std::string last_output() const;  // the end of what it printed

 private:
  explicit ServerProcess(ServerProcessOptions options) : options_(std::move(options)) {}
  Status launch(const std::string& command);
  Status wait_until_healthy(bool port_is_known);
  Result<bool> is_healthy();

  ServerProcessOptions options_;
  ServerUrl url_;
  pid_t pid_ = -1;
  int output_ = -1;  // file descriptor of an unlinked file
};

}  // namespace twostroke

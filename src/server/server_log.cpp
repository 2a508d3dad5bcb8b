#include "server/server_log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

namespace twostroke {
namespace {

constexpr size_t kMaxQueuedLines = 4096;

struct Log {
  std::shared_ptr<spdlog::details::thread_pool> writer =
      std::make_shared<spdlog::details::thread_pool>(kMaxQueuedLines, 1);
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "twostroke", std::make_shared<spdlog::sinks::stderr_sink_mt>(), writer,
      spdlog::async_overflow_policy::overrun_oldest);
};

}  // namespace

spdlog::logger& server_log() {
  static Log log;
  return *log.logger;
}

}  // namespace twostroke

// The server's log: one line per request, on stderr, never prompt text. Written by a thread of its
// own that drops the oldest lines when nobody takes them: a full pipe must not stop the I/O thread.
#pragma once

#include <spdlog/logger.h>

namespace twostroke {

spdlog::logger& server_log();

}  // namespace twostroke

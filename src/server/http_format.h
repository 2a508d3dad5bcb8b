// Writes HTTP/1.1 response heads and chunks as text. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/reply.h"

namespace twostroke {

struct ResponseFraming {
  bool http_1_0 = false;
  bool keep_alive = true;
  bool chunked = false;         // Transfer-Encoding: chunked
  int64_t content_length = -1;  // -1: none (chunked, or until the connection closes)
};

// Status line, headers, empty line.
std::string format_head(const Reply& reply, int status, std::string_view request_id,
                        const ResponseFraming& framing);

// One chunk around `data`; nothing when it is empty, because that would end the body.
void append_chunk(std::string& out, std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace twostroke

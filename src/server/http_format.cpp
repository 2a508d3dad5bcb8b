#include "server/http_format.h"

#include <fmt/format.h>

namespace twostroke {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 529:
      return "Site Is Overloaded";
    case 503:
      return "Service Unavailable";
    default:
      return status < 500 ? "Client Error" : "Internal Server Error";
  }
}

}  // namespace

std::string format_head(const Reply& reply, int status, std::string_view request_id,
                        const ResponseFraming& framing) {
  std::string head = fmt::format("HTTP/1.{} {} {}\r\nServer: twostroke\r\n",
                                 framing.http_1_0 ? 0 : 1, status, reason_of(status));
  if (!reply.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", reply.content_type);
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (!request_id.empty()) head += fmt::format("X-Request-Id: {}\r\n", request_id);
  if (framing.chunked) head += "Transfer-Encoding: chunked\r\n";
  if (framing.content_length >= 0)
    head += fmt::format("Content-Length: {}\r\n", framing.content_length);
  head += framing.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

void append_chunk(std::string& out, std::string_view data) {
  if (!data.empty()) out += fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

}  // namespace twostroke

// HttpResponseParser: an HTTP/1.1 response from bytes as they come: status, headers, body pieces
// with any transfer encoding taken off. Sans I/O, so that the one who reads the socket can stamp
// the time first. One response, one parser. Beast does the parsing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"

namespace twostroke {

struct HttpHead {
  int status = 0;
  bool keep_alive = false;  // the connection may be used again after the body
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

  // The first of that name (given in lower case); empty when there is none.
  std::string_view header(std::string_view name) const;
};

class HttpResponseParser {
 public:
  // Piece by piece as they arrive; false: stop here, nobody wants the rest.
  using OnBody = FunctionRef<bool(std::string_view)>;

  HttpResponseParser();
  ~HttpResponseParser();
  HttpResponseParser(const HttpResponseParser&) = delete;
  HttpResponseParser& operator=(const HttpResponseParser&) = delete;

  // kCorrupt when it is not HTTP, kTooLarge for more than 64 KiB of headers.
  Status feed(std::string_view bytes, OnBody on_body);
  // The peer closed: kIo when the response was not complete.
  Status feed_end();

  bool has_head() const;
  const HttpHead& head() const { return head_; }
  bool is_done() const;
  bool was_stopped() const { return stopped_; }
  bool has_surplus() const;                      // bytes after the response: nobody asked for them
  bool has_bytes() const { return has_bytes_; }  // anything arrived at all

 private:
  struct Impl;
  Status parse(OnBody on_body);
  void read_head();

  std::unique_ptr<Impl> impl_;
  HttpHead head_;
  bool stopped_ = false;
  bool has_bytes_ = false;
};

}  // namespace twostroke

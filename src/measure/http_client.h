// HttpClient: one request after another, waiting for each: for looking at a server, and for probes
// that are alone. Not for load (measure/load_run.h). One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "measure/client_record.h"
#include "measure/http_exchange.h"

namespace twostroke {

struct HttpReply {
  HttpHead head;
  std::string body;
  bool ok() const { return head.status >= 200 && head.status < 300; }
};

class HttpClient {
 public:
  explicit HttpClient(const ServerUrl& url, HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `path` as in "/v1/models". An Error only when there is no reply: unreachable, timed out, gone,
  // or not HTTP. A 404 is a reply.
  Result<HttpReply> get(std::string_view path);
  Result<HttpReply> post(std::string_view path, std::string body);

  // A generation request (its body says "stream": true), measured as load measures. Times in the
  // record are since the call. It never fails: the record says what went wrong.
  ClientRecord generate(std::string_view path, std::string body, bool keep_text = false);

 private:
  ExchangeOutcome run(const HttpRequestText& request, ResponseSink& sink);

  boost::asio::io_context io_;
  HttpConnections connections_;
};

}  // namespace twostroke

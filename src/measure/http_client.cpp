#include "measure/http_client.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "measure/generation_reader.h"

namespace twostroke {
namespace {

class WholeReply final : public ResponseSink {
 public:
  void on_connected(int64_t, bool) override {}
  void on_head(const HttpHead& head, int64_t) override { reply.head = head; }
  bool on_body(std::string_view bytes, int64_t) override {
    reply.body += bytes;
    return true;
  }

  HttpReply reply;
};

Result<HttpReply> as_result(const ExchangeOutcome& outcome, WholeReply& sink) {
  if (outcome.end == ExchangeEnd::kComplete) return std::move(sink.reply);
  const bool is_corrupt = outcome.end == ExchangeEnd::kMalformed;
  return Error{is_corrupt ? ErrorCode::kCorrupt : ErrorCode::kIo, outcome.detail, "url"};
}

}  // namespace

HttpClient::HttpClient(const ServerUrl& url, HttpClientOptions options)
    : connections_(io_, url, std::move(options)) {}
HttpClient::~HttpClient() = default;

ExchangeOutcome HttpClient::run(const HttpRequestText& request, ResponseSink& sink) {
  ExchangeOutcome outcome;
  boost::asio::co_spawn(io_, connections_.run(request, sink),
                        [&](const std::exception_ptr& failure, ExchangeOutcome result) {
                          outcome = failure ? ExchangeOutcome{ExchangeEnd::kDisconnected,
                                                              "the request could not be made"}
                                            : std::move(result);
                        });
  io_.restart();
  io_.run();
  return outcome;
}

Result<HttpReply> HttpClient::get(std::string_view path) {
  WholeReply sink;
  const ExchangeOutcome outcome =
      run({.method = "GET", .target = connections_.url().target(path), .body = ""}, sink);
  return as_result(outcome, sink);
}

Result<HttpReply> HttpClient::post(std::string_view path, std::string body) {
  WholeReply sink;
  const ExchangeOutcome outcome =
      run({.target = connections_.url().target(path), .body = std::move(body)}, sink);
  return as_result(outcome, sink);
}

ClientRecord HttpClient::generate(std::string_view path, std::string body, bool keep_text) {
  ClientRecord record;
  const int64_t origin_ns = steady_now_ns();
  record.scheduled_ns = 0;
  record.sent_ns = 0;
  GenerationReader reader(record, origin_ns, keep_text);
  const ExchangeOutcome outcome =
      run({.target = connections_.url().target(path), .body = std::move(body)}, reader);
  reader.finish(outcome, steady_now_ns());
  return record;
}

}  // namespace twostroke

// The server over real sockets: what well-behaved clients see, and how it starts and stops.
#include "server/http_server.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/server_fixture.h"

namespace twostroke {
namespace {

using HttpServerTest = ServerFixture;

std::string error_code_of(const RawResponse& response) {
  return OrderedJson::parse(response.body)["error"]["code"].get<std::string>();
}

TEST_F(HttpServerTest, ReportsThePortItGot) {
  start();
  EXPECT_NE(port(), 0);
  EXPECT_EQ(server_->url(), "http://127.0.0.1:" + std::to_string(port()));
}

TEST_F(HttpServerTest, APortInUseIsALoudError) {
  start();
  ServerOptions second = options_;
  second.port = port();
  const auto server = HttpServer::start(second, clock_);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::kIo);
  EXPECT_NE(server.error().message.find("127.0.0.1:" + std::to_string(port())), std::string::npos);
  EXPECT_NE(server.error().message.find("Address already in use"), std::string::npos)
      << server.error().message;
}

TEST_F(HttpServerTest, AHostThatIsNoAddressIsAnError) {
  options_.host = "no such host";
  EXPECT_FALSE(HttpServer::start(options_, clock_).ok());
}

TEST_F(HttpServerTest, AnswersWhileLoading) {
  auto server = HttpServer::start(options_, clock_);
  ASSERT_TRUE(server.ok());
  (*server)->set_loading("reading weights");
  RawHttpClient client((*server)->port());
  client.get("/health");
  const auto loading = client.response();
  ASSERT_TRUE(loading.has_value());
  EXPECT_EQ(loading->status, 503);
  EXPECT_NE(loading->body.find("reading weights"), std::string::npos);
  (*server)->set_ready({engine_, model_});
  client.get("/health");
  EXPECT_EQ(client.response()->status, 200) << "on the same connection";
}

TEST_F(HttpServerTest, WholeReply) {
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", completion(5));
  const auto response = client.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 200);
  EXPECT_NE(response->head.find("Content-Type: application/json"), std::string::npos);
  const OrderedJson body = OrderedJson::parse(response->body);
  EXPECT_EQ(body["choices"][0]["text"], "abcde");
  EXPECT_EQ(body["usage"]["completion_tokens"], 5);
  EXPECT_EQ(body["timings"]["predicted_n"], 5);
}

TEST_F(HttpServerTest, StreamIsOneEventPerToken) {
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", stream_of(5));
  const auto response = client.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 200);
  EXPECT_NE(response->head.find("Content-Type: text/event-stream"), std::string::npos);
  size_t num_events = 0;
  for (size_t at = 0; (at = response->body.find("data: ", at)) != std::string::npos; ++at)
    ++num_events;
  EXPECT_EQ(num_events, 6U) << "five tokens and [DONE]";
  EXPECT_TRUE(response->body.ends_with("data: [DONE]\n\n"));
}

TEST_F(HttpServerTest, TokensLeaveAtOnce) {
  engine_.set_step(std::chrono::seconds(3600));  // the second token comes after the test
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", stream_of(2));
  EXPECT_TRUE(client.read_until(R"("text":"a")"));
}

TEST_F(HttpServerTest, KeepAliveAndPipelining) {
  start();
  RawHttpClient client(port());
  const std::string body = completion(3);
  std::string requests;
  for (int i = 0; i < 3; ++i) {
    requests += "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body +
                "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 3; ++i) {
    const auto first = client.response();
    ASSERT_TRUE(first.has_value());
    EXPECT_NE(first->body.find("\"abc\""), std::string::npos);
    const auto second = client.response();
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(second->body, R"({"status":"ok"})");
  }
}

TEST_F(HttpServerTest, WhatIsPipelinedDuringAStreamIsAnsweredAfterIt) {
  engine_.hold(true);
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", stream_of(3));
  ASSERT_TRUE(wait_for_active(1));
  client.get("/health");
  engine_.hold(false);
  EXPECT_TRUE(client.response()->body.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(client.response()->body, R"({"status":"ok"})");
  EXPECT_EQ(engine_.num_cancelled(), 0);
}

TEST_F(HttpServerTest, Http10ClosesAfterTheReply) {
  start();
  RawHttpClient client(port());
  client.send("GET /health HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(client.read_to_end());
  EXPECT_TRUE(client.received().starts_with("HTTP/1.0 200 OK\r\n")) << client.received();
  EXPECT_NE(client.received().find("Connection: close"), std::string::npos);
}

TEST_F(HttpServerTest, Http10StreamIsNotChunked) {
  start();
  RawHttpClient client(port());
  const std::string body = stream_of(3);
  client.send("POST /v1/completions HTTP/1.0\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  ASSERT_TRUE(client.read_to_end());
  EXPECT_EQ(client.received().find("Transfer-Encoding"), std::string::npos);
  EXPECT_TRUE(client.received().ends_with("data: [DONE]\n\n")) << client.received();
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  start();
  RawHttpClient client(port());
  client.get("/health", "HEAD");
  const auto head = client.response(true);
  ASSERT_TRUE(head.has_value());
  EXPECT_NE(head->head.find("Content-Length: 15"), std::string::npos) << head->head;
  client.get("/health");
  EXPECT_EQ(client.response()->body, R"({"status":"ok"})") << "nothing of HEAD's body is left over";
  client.get("/health", "OPTIONS");
  EXPECT_EQ(client.response()->status, 204);
  client.get("/nothing");
  EXPECT_EQ(client.response()->status, 404);
}

TEST_F(HttpServerTest, Expect100Continue) {
  start();
  RawHttpClient client(port());
  const std::string body = completion(2);
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  const auto interim = client.response();
  ASSERT_TRUE(interim.has_value());
  EXPECT_EQ(interim->status, 100);
  client.send(body);
  EXPECT_EQ(client.response()->status, 200);
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.response()->status, 417);
}

TEST_F(HttpServerTest, ChunkedRequestBody) {
  start();
  RawHttpClient client(port());
  const std::string body = completion(2);
  client.send("POST /v1/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : body) client.send(std::string("1\r\n") + c + "\r\n");
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.response()->status, 200);
}

TEST_F(HttpServerTest, RequestIdsAreRepeatedWhenHarmless) {
  start();
  RawHttpClient client(port());
  client.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: my-id.7\r\n\r\n");
  EXPECT_NE(client.response()->head.find("X-Request-Id: my-id.7"), std::string::npos);
  client.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b<c>\r\n\r\n");
  EXPECT_EQ(client.response()->head.find("a b<c>"), std::string::npos);
}

TEST_F(HttpServerTest, AbsoluteTargetsAndQueries) {
  start();
  RawHttpClient client(port());
  client.get("http://127.0.0.1/health?deep=1");
  EXPECT_EQ(client.response()->status, 200);
}

TEST_F(HttpServerTest, SixtyFourConnectionsAtOnce) {
  engine_.set_step(std::chrono::milliseconds(1));
  start();
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(port()));
    ASSERT_TRUE(clients.back()->post("/v1/completions", stream_of(20)));
  }
  for (const auto& client : clients) {
    const auto response = client->response();
    ASSERT_TRUE(response.has_value());
    EXPECT_NE(response->body.find(R"("text":"t","logprobs":null,"finish_reason":"length")"),
              std::string::npos);
  }
}

TEST_F(HttpServerTest, StopWaitsForRepliesInFlight) {
  engine_.hold(true);
  start();
  RawHttpClient client(port());
  RawHttpClient idle(port());
  client.post("/v1/completions", stream_of(3));
  ASSERT_TRUE(wait_for_active(1));
  bool drained = false;
  std::thread stopper([&] { drained = server_->stop(60'000); });
  EXPECT_TRUE(idle.read_to_end()) << "an idle connection is closed at once";
  engine_.hold(false);
  const auto response = client.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_TRUE(response->body.ends_with("data: [DONE]\n\n"));
  EXPECT_NE(response->body.find(R"("finish_reason":"length")"), std::string::npos);
  stopper.join();
  EXPECT_TRUE(drained);
  EXPECT_FALSE(RawHttpClient(port()).connected());
}

TEST_F(HttpServerTest, StopCancelsWhatDoesNotFinishInTime) {
  engine_.hold(true);
  start();
  RawHttpClient streaming(port());
  RawHttpClient whole(port());
  streaming.post("/v1/completions", stream_of(3));
  whole.post("/v1/completions", completion(3));
  ASSERT_TRUE(wait_for_active(2));
  EXPECT_FALSE(server_->stop(10));
  EXPECT_EQ(engine_.num_cancelled(), 2);
  const auto events = streaming.response();
  ASSERT_TRUE(events.has_value()) << "the stream ends in order";
  EXPECT_NE(events->body.find(R"("code":"cancelled")"), std::string::npos) << events->body;
  const auto reply = whole.response();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(error_code_of(*reply), "cancelled");
}

TEST_F(HttpServerTest, StopTwiceAndWithoutRequests) {
  start();
  EXPECT_TRUE(server_->stop(1000));
  EXPECT_TRUE(server_->stop(1000));
}

}  // namespace
}  // namespace twostroke

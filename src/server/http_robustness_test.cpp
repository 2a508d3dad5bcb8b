// Hostile and unlucky clients: each is refused or bounded, and the server is healthy after it.
#include <gtest/gtest.h>

#include <chrono>

#include "server/server_fixture.h"

namespace twostroke {
namespace {

class HttpRobustnessTest : public ServerFixture {
 protected:
  void TearDown() override {
    if (server_) expect_healthy();
  }
};

TEST_F(HttpRobustnessTest, BadJson) {
  start();
  RawHttpClient client(port());
  for (const std::string& body :
       {std::string("{"), std::string("nonsense"), std::string(), std::string("\xFF\xFE"),
        std::string(100, '['), std::string(1 << 20, '{')}) {
    client.post("/v1/chat/completions", body);
    const auto response = client.response();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 400);
    EXPECT_EQ(OrderedJson::parse(response->body)["error"]["type"], "invalid_request_error");
  }
}

TEST_F(HttpRobustnessTest, NotHttp) {
  start();
  for (const char* bytes : {"hello\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\r\n\r\n",
                            "GET /health HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
                            "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
    RawHttpClient client(port());
    client.send(bytes);
    EXPECT_TRUE(client.read_to_end());
    EXPECT_TRUE(client.received().starts_with("HTTP/1.1 400 ")) << bytes << "\n"
                                                                << client.received();
  }
}

TEST_F(HttpRobustnessTest, ALargeBodyIsRefusedBeforeItIsSent) {
  start();
  RawHttpClient client(port());
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
      "104857600\r\n\r\n");
  const auto response = client.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 413);
  EXPECT_NE(response->body.find("16777216"), std::string::npos) << "the limit";
}

TEST_F(HttpRobustnessTest, AClientThatSendsALargeBodyAnywayGetsItsAnswer) {
  options_.linger_timeout_ms = 60'000;  // the test machine may be slow
  start();
  RawHttpClient client(port());
  client.send("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n");
  const std::string megabyte(1 << 20, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.send(megabyte)) << i;
  const auto response = client.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 413);
}

TEST_F(HttpRobustnessTest, AChunkedBodyPastTheLimit) {
  options_.max_body_bytes = 1000;
  start();
  RawHttpClient client(port());
  client.send("POST /v1/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("7d0\r\n" + std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.response()->status, 413);
}

TEST_F(HttpRobustnessTest, BodiesTogetherAreBounded) {
  options_.max_bodies_bytes = 1000;
  start();
  RawHttpClient first(port());
  first.send("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{");
  RawHttpClient second(port());
  // Until the first one's header has been seen, there is room.
  std::optional<RawResponse> refused;
  for (int attempt = 0; attempt < 10'000 && !refused; ++attempt) {
    RawHttpClient client(port());
    client.post("/tokenize", R"({"content":")" + std::string(200, 'x') + "\"}");
    auto response = client.response();
    ASSERT_TRUE(response.has_value());
    if (response->status != 200) refused = std::move(response);
  }
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  first.abort();
}

TEST_F(HttpRobustnessTest, LargeHeaders) {
  start();
  RawHttpClient client(port());
  client.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(20'000, 'x') +
              "\r\n\r\n");
  EXPECT_EQ(client.response()->status, 431);
  RawHttpClient many(port());
  std::string headers;
  for (int i = 0; i < 5000; ++i) headers += "A: b\r\n";
  many.send("GET /health HTTP/1.1\r\n" + headers + "\r\n");
  EXPECT_EQ(many.response()->status, 431);
}

TEST_F(HttpRobustnessTest, SlowLorisInTheHeader) {
  options_.header_timeout_ms = 50;
  start();
  RawHttpClient client(port());
  client.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  const auto response = client.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 408);
  RawHttpClient silent(port());
  EXPECT_TRUE(silent.read_to_end()) << "a connection that never says anything is closed";
  options_.header_timeout_ms = 10'000;
}

TEST_F(HttpRobustnessTest, SlowLorisInTheBody) {
  options_.body_timeout_ms = 50;
  start();
  RawHttpClient client(port());
  client.send("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(client.response()->status, 408);
}

TEST_F(HttpRobustnessTest, AnIdleConnectionIsClosed) {
  options_.idle_timeout_ms = 50;
  start();
  RawHttpClient client(port());
  client.get("/health");
  EXPECT_EQ(client.response()->status, 200);
  EXPECT_TRUE(client.read_to_end());
}

TEST_F(HttpRobustnessTest, AClientThatNeverReadsIsCutOffAndOthersAreNot) {
  options_.write_timeout_ms = 200;
  model_.mutable_info().max_model_len = 10'000'000;
  engine_.set_step(std::chrono::microseconds(10));  // fills the socket's buffers in a second or so
  start();
  RawHttpClient stuck(port(), 4096);
  ASSERT_TRUE(stuck.post("/v1/completions", stream_of(5'000'000)));
  ASSERT_TRUE(wait_for_active(1));
  RawHttpClient other(port());
  other.post("/v1/completions", stream_of(50));
  const auto response = other.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_TRUE(response->body.ends_with("data: [DONE]\n\n"));
  EXPECT_TRUE(wait_for_cancelled(1));
}

TEST_F(HttpRobustnessTest, LeavingInTheMiddleOfAStreamCancels) {
  engine_.set_step(std::chrono::milliseconds(1));
  start();
  for (int i = 1; i <= 6; ++i) {
    RawHttpClient client(port());
    client.post("/v1/completions", stream_of(4000));
    ASSERT_TRUE(client.read_until(R"("text":"c")"));
    if (i % 2 == 0) {
      client.abort();
    } else {
      client.close();
    }
    EXPECT_TRUE(wait_for_cancelled(i));
  }
}

TEST_F(HttpRobustnessTest, LeavingDuringPrefillCancels) {
  engine_.hold(true);
  start();
  for (const bool stream : {true, false}) {
    RawHttpClient client(port());
    client.post("/v1/completions", stream ? stream_of(10) : completion(10));
    ASSERT_TRUE(wait_for_active(1));
    client.abort();
    ASSERT_TRUE(wait_for_active(0));
  }
  EXPECT_EQ(engine_.num_cancelled(), 2);
}

TEST_F(HttpRobustnessTest, LeavingCancelsEveryChoice) {
  engine_.hold(true);
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", completion(10, R"(,"n":4)"));
  ASSERT_TRUE(wait_for_active(4));
  client.close();
  EXPECT_TRUE(wait_for_cancelled(4));
}

TEST_F(HttpRobustnessTest, TooManyConnections) {
  options_.max_connections = 4;
  start();
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(port()));
    clients.back()->get("/health");
    ASSERT_EQ(clients.back()->response()->status, 200);
  }
  RawHttpClient extra(port());
  extra.get("/health");
  const auto refused = extra.response();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  EXPECT_NE(refused->head.find("Retry-After: 1"), std::string::npos);
  EXPECT_TRUE(extra.read_to_end());
  clients.clear();
  // The server notices the closed ones in its own time.
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    RawHttpClient again(port());
    again.get("/health");
    const auto response = again.response();
    if (response && response->status == 200) return;
  }
  FAIL() << "never recovered";
}

TEST_F(HttpRobustnessTest, AFullEngine) {
  engine_.hold(true);
  engine_.set_max_active(1);
  start();
  RawHttpClient first(port());
  first.post("/v1/completions", stream_of(3));
  ASSERT_TRUE(wait_for_active(1));
  RawHttpClient second(port());
  second.post("/v1/completions", stream_of(3));
  const auto response = second.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 503);
  EXPECT_NE(response->head.find("Retry-After: 1"), std::string::npos);
  engine_.hold(false);
  EXPECT_EQ(first.response()->status, 200);
}

TEST_F(HttpRobustnessTest, AnErrorInTheEngine) {
  engine_.hold(true);
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", completion(3));
  ASSERT_TRUE(wait_for_active(1));
  engine_.fail_all(Error{ErrorCode::kIo, "out of luck", ""});
  const auto response = client.response();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 500);
  EXPECT_NE(response->body.find("out of luck"), std::string::npos);
}

TEST_F(HttpRobustnessTest, LongWaitsAreFilledWithComments) {
  options_.ping_interval_ms = 20;
  engine_.hold(true);
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", stream_of(3));
  EXPECT_TRUE(client.read_until(": still working\n\n"));
  engine_.hold(false);
  EXPECT_TRUE(client.read_until("data: [DONE]"));
}

TEST_F(HttpRobustnessTest, ProgressIsStreamed) {
  engine_.hold(true);
  start();
  RawHttpClient client(port());
  client.post("/v1/completions", completion(3, R"(,"stream":true,"return_progress":true)"));
  ASSERT_TRUE(wait_for_active(1));
  engine_.report_progress({.total = 10, .cached = 2, .processed = 5, .time_ms = 1.5});
  EXPECT_TRUE(
      client.read_until(R"("prompt_progress":{"total":10,"cache":2,"processed":5,"time_ms":1.5})"));
  engine_.hold(false);
  EXPECT_TRUE(client.read_until("data: [DONE]"));
}

}  // namespace
}  // namespace twostroke

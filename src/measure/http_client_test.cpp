// Goal: whatever a server sends, whole, in pieces, cut off or not HTTP at all, the client says what
// happened and goes on. Method: a scripted server over real sockets.
#include "measure/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "measure/scripted_server.h"

namespace twostroke {
namespace {

using ::testing::HasSubstr;

std::vector<ScriptedStep> say(std::string bytes) {
  return {{.bytes = std::move(bytes)}};
}

TEST(HttpClient, KeepsTheConnection) {
  ScriptedServer server([](const ScriptedRequest& request) {
    return say(whole_reply(200, json_line({{"you_sent", request.body}})));
  });
  HttpClient client(server.url(), {.api_key = "secret"});
  EXPECT_EQ(client.get("/v1/models")->body, R"({"you_sent":null})");
  EXPECT_EQ(client.post("/tokenize", R"({"content":"hé"})")->body,
            R"({"you_sent":{"content":"hé"}})");
  const auto exchanges = server.exchanges();
  ASSERT_EQ(exchanges.size(), 2U);
  EXPECT_EQ(exchanges[1].connection, exchanges[0].connection);
  EXPECT_EQ(exchanges[1].request.path, "/tokenize");
  EXPECT_THAT(exchanges[1].request.headers, HasSubstr("Authorization: Bearer secret\r\n"));
}

TEST(HttpClient, AnErrorStatusIsAReply) {
  ScriptedServer server(
      [](const ScriptedRequest&) { return say(whole_reply(429, "{}", "Retry-After: 7\r\n")); });
  HttpClient client(server.url());
  const auto reply = client.get("/");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->head.status, 429);
  EXPECT_EQ(reply->head.header("retry-after"), "7");
  EXPECT_FALSE(reply->ok());
}

TEST(HttpClient, BodiesOfEveryFraming) {
  const std::string bodies[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\n\r\nhello",  // until the connection closes
  };
  for (const std::string& body : bodies) {
    for (size_t cut = 1; cut < body.size(); cut += 3) {
      ScriptedServer server([&](const ScriptedRequest&) {
        return std::vector<ScriptedStep>{
            {.bytes = body.substr(0, cut)},
            {.at_ms = 2, .bytes = body.substr(cut), .then_close = true}};
      });
      HttpClient client(server.url());
      const auto reply = client.get("/");
      ASSERT_TRUE(reply.ok()) << reply.error().message << " for " << body << " cut at " << cut;
      EXPECT_EQ(reply->body, "hello") << body << " cut at " << cut;
    }
  }
}

TEST(HttpClient, AStaleConnectionIsReplacedOnce) {
  ScriptedServer server([](const ScriptedRequest& request) {
    std::vector<ScriptedStep> steps = say(whole_reply(200, "1"));
    steps.push_back({.at_ms = 1, .bytes = "", .then_close = request.index == 0});
    return steps;
  });
  HttpClient client(server.url());
  ASSERT_TRUE(client.get("/").ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // let the close arrive, or not
  EXPECT_TRUE(client.get("/").ok());
  const auto exchanges = server.exchanges();
  EXPECT_NE(exchanges.back().connection, exchanges.front().connection);
}

TEST(HttpClient, SaysWhyThereIsNoReply) {
  struct Case {
    std::string bytes;
    const char* why;
    ErrorCode code;
  };
  const Case cases[] = {
      {"", "closed", ErrorCode::kIo},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "closed", ErrorCode::kIo},
      {"SSH-2.0-OpenSSH_9\r\n\r\n", "not an HTTP response", ErrorCode::kCorrupt},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not an HTTP response",
       ErrorCode::kCorrupt},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n", "response headers",
       ErrorCode::kTooLarge},
  };
  for (const Case& it : cases) {
    ScriptedServer server([&](const ScriptedRequest&) {
      return std::vector<ScriptedStep>{{.bytes = it.bytes, .then_close = true}};
    });
    HttpClient client(server.url());
    const auto reply = client.get("/");
    ASSERT_FALSE(reply.ok()) << it.bytes.substr(0, 40);
    EXPECT_THAT(reply.error().message, HasSubstr(it.why));
    EXPECT_EQ(reply.error().code == ErrorCode::kIo, it.code == ErrorCode::kIo);
  }
}

TEST(HttpClient, ADeadServerAndADeafOne) {
  ScriptedServer server([](const ScriptedRequest&) {
    return std::vector<ScriptedStep>{{.at_ms = 5000, .bytes = "late"}};
  });
  HttpClient impatient(server.url(), {.idle_timeout_ms = 30});
  const auto late = impatient.get("/");
  ASSERT_FALSE(late.ok());
  EXPECT_THAT(late.error().message, HasSubstr("nothing came for 30 ms"));
  const ServerUrl url = server.url();
  server.stop();
  HttpClient client(url);
  const auto refused = client.get("/");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("cannot connect to http://127.0.0.1:"));
}

TEST(HttpClient, ABodyHasALimit) {
  ScriptedServer server(
      [](const ScriptedRequest&) { return say(whole_reply(200, std::string(2000, ' '))); });
  HttpClient client(server.url(), {.max_body_bytes = 1000});
  const auto reply = client.get("/");
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.error().message, HasSubstr("more than 1000 bytes"));
}

TEST(HttpClient, AnUnknownHostIsNamed) {
  HttpClient client({"no-such-host.invalid", "80", ""});
  const auto reply = client.get("/");
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.error().message, HasSubstr("no-such-host.invalid"));
}

}  // namespace
}  // namespace twostroke

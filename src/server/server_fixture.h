// ServerFixture: an HttpServer over fakes on a free loopback port. Test code.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server/fake_engine_client.h"
#include "server/fake_model_services.h"
#include "server/http_server.h"
#include "server/json_text.h"
#include "server/raw_http_client.h"
#include "server/server_log.h"

namespace twostroke {

class ServerFixture : public testing::Test {
 protected:
  ServerFixture() {
    options_.port = 0;
    server_log().set_level(spdlog::level::off);
  }

  // After changing options_.
  void start() {
    auto server = HttpServer::start(options_, clock_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
    server_->set_ready({engine_, model_});
  }
  uint16_t port() const { return server_->port(); }

  void expect_healthy() {
    RawHttpClient client(port());
    ASSERT_TRUE(client.get("/health"));
    const auto response = client.response();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 200);
  }
  bool wait_for_active(size_t count) {
    return engine_.wait_for(
        [count](const FakeEngineClient& it) { return it.active_count() == count; });
  }
  bool wait_for_cancelled(int count) {
    return engine_.wait_for(
        [count](const FakeEngineClient& it) { return it.cancelled_count() == count; });
  }

  static std::string completion(int max_tokens, const std::string& more = "") {
    return R"({"prompt":"hi","max_tokens":)" + std::to_string(max_tokens) + more + "}";
  }
  static std::string stream_of(int max_tokens) {
    return completion(max_tokens, R"(,"stream":true)");
  }

  ServerOptions options_;
  SteadyClock clock_;
  FakeModelServices model_;
  FakeEngineClient engine_{clock_};
  std::unique_ptr<HttpServer> server_;  // stops before its engine goes
};

}  // namespace twostroke

// check_request: each limit refuses one value past it, names the field, and lets the limit itself
// through.
#include "engine/request_checks.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace twostroke {
namespace {

const EngineConfig kConfig{.max_stop_strings = 2,
                           .max_stop_string_bytes = 4,
                           .max_stop_token_ids = 2,
                           .max_logit_bias = 1,
                           .max_logprobs = 5,
                           .max_cache_salt_bytes = 8};
constexpr ModelLimits kLimits{.vocab_size = 100, .max_model_len = 10};

RequestInput valid() {
  RequestInput input;
  input.prompt = {0, 99, 5, 5, 5, 5, 5, 5, 5};
  input.max_tokens = 1;
  input.stop = {"abcd", "x"};
  input.stop_token_ids = {0, 99};
  input.cache_salt = "12345678";
  input.sampling.num_logprobs = 5;
  input.sampling.logit_bias = {{99, -100.0F}};
  return input;
}

std::string refused_field(const std::function<void(RequestInput&)>& change) {
  RequestInput input = valid();
  change(input);
  const Status status = check_request(input, kConfig, kLimits);
  return status.ok() ? "accepted" : status.error().field;
}

TEST(RequestChecks, AcceptsEverythingAtItsLimit) {
  const Status status = check_request(valid(), kConfig, kLimits);
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(RequestChecks, RefusesEverythingPastItsLimit) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refused_field([](auto& input) { input.prompt.push_back(1); }), "prompt");
  EXPECT_EQ(refused_field([](auto& input) { input.prompt = {-1}; }), "prompt");
  EXPECT_EQ(refused_field([](auto& input) { input.prompt = {100}; }), "prompt");
  EXPECT_EQ(refused_field([](auto& input) { input.max_tokens = 0; }), "max_tokens");
  EXPECT_EQ(refused_field([](auto& input) { input.stop.emplace_back("y"); }), "stop");
  EXPECT_EQ(refused_field([](auto& input) { input.stop = {"abcde"}; }), "stop");
  EXPECT_EQ(refused_field([](auto& input) { input.stop = {""}; }), "stop");
  EXPECT_EQ(refused_field([](auto& input) { input.stop_token_ids = {1, 2, 3}; }), "stop_token_ids");
  EXPECT_EQ(refused_field([](auto& input) { input.stop_token_ids = {100}; }), "stop_token_ids");
  EXPECT_EQ(refused_field([](auto& input) { input.cache_salt += "9"; }), "cache_salt");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.num_logprobs = 6; }), "logprobs");
  EXPECT_EQ(refused_field([](auto& input) {
              input.sampling.logit_bias = {{100, 1.0F}};
            }),
            "logit_bias");
  EXPECT_EQ(refused_field([&](auto& input) {
              input.sampling.logit_bias = {{1, nan}};
            }),
            "logit_bias");
  EXPECT_EQ(refused_field([&](auto& input) { input.sampling.temperature = nan; }), "temperature");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.temperature = -1; }), "temperature");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.top_p = 1.5F; }), "top_p");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.top_p = 0; }), "top_p");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.presence_penalty = 2.5F; }),
            "presence_penalty");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.frequency_penalty = -2.5F; }),
            "frequency_penalty");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.repeat_last_n = -2; }), "repeat_last_n");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.min_tokens = -1; }), "min_tokens");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.min_p = -0.1F; }), "min_p");
  EXPECT_EQ(refused_field([](auto& input) { input.sampling.repetition_penalty = 0; }),
            "repetition_penalty");
}

TEST(RequestChecks, ATooLongPromptIsTooLargeAndBothNumbersAreNamed) {
  RequestInput input = valid();
  input.prompt.resize(4321, 1);
  const Status status = check_request(input, kConfig, kLimits);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(status.error().message.find("4321"), std::string::npos);
  EXPECT_NE(status.error().message.find("10"), std::string::npos);
}

}  // namespace
}  // namespace twostroke

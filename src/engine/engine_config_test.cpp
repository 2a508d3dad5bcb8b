// EngineConfig: the defaults are valid and each limit is checked, by name.
#include "engine/engine_config.h"

#include <gtest/gtest.h>

namespace twostroke {
namespace {

TEST(EngineConfig, DefaultsAreValid) {
  EXPECT_TRUE(validate(EngineConfig{}).ok());
}

TEST(EngineConfig, NamesTheFieldTheRangeAndTheValue) {
  const Status status = validate({.max_running = -3});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().field, "max_running");
  EXPECT_NE(status.error().message.find("-3"), std::string::npos);
  EXPECT_NE(status.error().message.find("[1, 4096]"), std::string::npos);
}

TEST(EngineConfig, EveryRunningRequestMustBeAbleToDecode) {
  EXPECT_FALSE(validate({.max_step_tokens = 8, .max_running = 9}).ok());
  EXPECT_TRUE(validate({.max_step_tokens = 9, .max_running = 9}).ok());
}

TEST(EngineConfig, ChecksEveryOtherLimit) {
  EXPECT_EQ(validate({.max_step_tokens = 0}).error().field, "max_step_tokens");
  EXPECT_EQ(validate({.max_prefill_tokens_with_decode = 0}).error().field,
            "max_prefill_tokens_with_decode");
  EXPECT_EQ(validate({.max_waiting = -1}).error().field, "max_waiting");
  EXPECT_EQ(validate({.max_model_len = -1}).error().field, "max_model_len");
  EXPECT_EQ(validate({.max_stop_strings = -1}).error().field, "max_stop_strings");
  EXPECT_EQ(validate({.max_stop_string_bytes = 0}).error().field, "max_stop_string_bytes");
  EXPECT_EQ(validate({.max_stop_token_ids = -1}).error().field, "max_stop_token_ids");
  EXPECT_EQ(validate({.max_logit_bias = -1}).error().field, "max_logit_bias");
  EXPECT_EQ(validate({.max_logprobs = -1}).error().field, "max_logprobs");
  EXPECT_EQ(validate({.max_cache_salt_bytes = -1}).error().field, "max_cache_salt_bytes");
  EXPECT_EQ(validate({.num_step_records = 0}).error().field, "num_step_records");
  EXPECT_EQ(validate({.num_request_records = -1}).error().field, "num_request_records");
}

}  // namespace
}  // namespace twostroke

// A salt changes every word of a synthetic prompt and no length: what a comparison needs to send
// one load to one server twice.
#include <gtest/gtest.h>

#include "measure/json_value.h"
#include "measure/workload/prompt_source.h"

namespace twostroke {
namespace {

TEST(TextSalt, ChangesTheWordsAndNotTheLengths) {
  LoadConfig config;
  config.seed = 7;
  config.workload.range_ratio = 0.5;
  LoadConfig salted = config;
  salted.text_salt = 99;
  const PromptSource plain = PromptSource::open(config).value();
  const PromptSource other = PromptSource::open(salted).value();
  for (int i = 0; i < 20; ++i) {
    const auto a = plain.make(i);
    const auto b = other.make(i);
    EXPECT_EQ(a.prompt_tokens, b.prompt_tokens);
    EXPECT_EQ(a.output_tokens, b.output_tokens);
    EXPECT_NE(a.body, b.body);
  }
}

}  // namespace
}  // namespace twostroke

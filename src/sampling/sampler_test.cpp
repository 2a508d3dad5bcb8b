// What each parameter does, on rows small enough to work out by hand, and what happens at the
// edges.
#include "sampling/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <vector>

namespace twostroke {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

SamplingParams greedy() {
  SamplingParams params;
  params.temperature = 0;
  return params;
}

struct Row {
  explicit Row(std::vector<float> row, std::vector<TokenId> history = {}, size_t prompt_tokens = 0,
               std::vector<TokenId> stop = {})
      : logits(std::move(row)),
        tokens(std::move(history)),
        num_prompt_tokens(prompt_tokens),
        stop_tokens(std::move(stop)) {}

  std::vector<float> logits;
  std::vector<TokenId> tokens;  // prompt and output
  size_t num_prompt_tokens;
  std::vector<TokenId> stop_tokens;

  Result<SamplerOutput> sample(const SamplingParams& params) {
    sampler = std::make_unique<Sampler>(logits.size());
    return sampler->sample(params, {logits, {tokens, num_prompt_tokens}, {stop_tokens, {}}});
  }
  TokenId token(const SamplingParams& params) {
    const auto output = sample(params);
    return output.ok() ? output->token : kNoToken;
  }
  // Every token that some seed draws.
  std::set<TokenId> reachable(SamplingParams params) {
    std::set<TokenId> tokens_drawn;
    for (params.seed = 0; params.seed < 2000; ++params.seed) tokens_drawn.insert(token(params));
    return tokens_drawn;
  }

  std::unique_ptr<Sampler> sampler;
};

TEST(SamplerTest, GreedyTakesTheLowestOfEquals) {
  EXPECT_EQ((Row{{1, 3, 2, 3}}.token(greedy())), 1);
  EXPECT_EQ((Row{std::vector<float>(5000, -7)}.token(greedy())), 0);
  Row row{std::vector<float>(5000, 0)};
  row.logits[4999] = row.logits[2047] = 1;
  EXPECT_EQ(row.token(greedy()), 2047);
  row.logits[4998] = 2;
  EXPECT_EQ(row.token(greedy()), 4998);
  EXPECT_EQ((Row{std::vector<float>{-5}}.token(greedy())), 0);
}

TEST(SamplerTest, RefusesLogitsThatAreNotFinite) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    for (const size_t where : {size_t{0}, size_t{17}, size_t{1024}, size_t{2000}}) {
      Row row{std::vector<float>(2001, 1)};
      row.logits[where] = bad;
      for (const float temperature : {0.0F, 1.0F}) {
        SamplingParams params;
        params.temperature = temperature;
        const auto output = row.sample(params);
        ASSERT_FALSE(output.ok()) << bad << " at " << where;
        EXPECT_EQ(output.error().code, ErrorCode::kCorrupt);
      }
    }
  }
}

TEST(SamplerTest, TopKKeepsTheLikeliest) {
  SamplingParams params;
  params.top_k = 2;
  EXPECT_EQ((Row{{1, 2, 2, 2, 0}}.reachable(params)), (std::set<TokenId>{1, 2}));
  params.top_k = 99;
  EXPECT_EQ((Row{{1, 2, 2, 2, 0}}.reachable(params)), (std::set<TokenId>{0, 1, 2, 3, 4}));
  params.top_k = 1;
  params.temperature = 100;
  EXPECT_EQ((Row{{1, 2, 3, 3, 0}}.reachable(params)), (std::set<TokenId>{2}));
}

TEST(SamplerTest, TopPKeepsTheSmallestSetThatReachesIt) {
  const Row halves{{std::log(0.5F), std::log(0.25F), std::log(0.125F), std::log(0.125F)}};
  const auto reachable = [&](float top_p, int top_k) {
    SamplingParams params;
    params.top_p = top_p;
    params.top_k = top_k;
    return Row{halves.logits}.reachable(params);
  };
  EXPECT_EQ(reachable(1e-30F, 0), (std::set<TokenId>{0}));
  EXPECT_EQ(reachable(0.49F, 0), (std::set<TokenId>{0}));
  EXPECT_EQ(reachable(0.51F, 0), (std::set<TokenId>{0, 1}));
  EXPECT_EQ(reachable(0.76F, 0), (std::set<TokenId>{0, 1, 2}));
  EXPECT_EQ(reachable(0.99F, 0), (std::set<TokenId>{0, 1, 2, 3}));
  EXPECT_EQ(reachable(0.66F, 2), (std::set<TokenId>{0}));  // of two tokens the first has 2/3
  EXPECT_EQ(reachable(0.67F, 2), (std::set<TokenId>{0, 1}));
}

TEST(SamplerTest, MinPIsRelativeToTheLikeliest) {
  const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.15F),
                                     std::log(0.05F)};
  const auto reachable = [&](float min_p, float top_p, int top_k) {
    SamplingParams params;
    params.min_p = min_p;
    params.top_p = top_p;
    params.top_k = top_k;
    return Row{logits}.reachable(params);
  };
  EXPECT_EQ(reachable(0.25F, 1, 0), (std::set<TokenId>{0, 1, 2}));
  EXPECT_EQ(reachable(0.25F, 1, 3), (std::set<TokenId>{0, 1, 2}));
  EXPECT_EQ(reachable(0.4F, 1, 3), (std::set<TokenId>{0, 1}));
  EXPECT_EQ(reachable(1, 1, 0), (std::set<TokenId>{0}));
  EXPECT_EQ(reachable(0.4F, 0.62F, 0), (std::set<TokenId>{0}));  // 0.5 of 0.8 is 0.625
  EXPECT_EQ(reachable(0.4F, 0.63F, 0), (std::set<TokenId>{0, 1}));
}

TEST(SamplerTest, RepetitionPenaltyLooksAtTheWindowOnce) {
  SamplingParams params = greedy();
  params.repetition_penalty = 2;
  Row row{{3, 2, -1, -1.5F}, {0, 0, 2}, 1};
  EXPECT_EQ(row.token(params), 1);  // 1.5 against 2: divided once, though it is there twice
  EXPECT_EQ(row.logits, (std::vector<float>{3, 2, -1, -1.5F})) << "put back";
  params.repeat_last_n = 1;
  EXPECT_EQ(row.token(params), 0);
  params.repeat_last_n = 2;
  EXPECT_EQ(row.token(params), 1);
  params.repeat_last_n = 0;
  EXPECT_EQ(row.token(params), 0);
  params.repeat_last_n = -1;
  EXPECT_EQ(row.token(params), 1);
  params.repeat_last_n = 64;
  EXPECT_EQ((Row{{3, 1}, {0, 0}, 1}.token(params)), 0);  // twice would be 0.75
  Row negative{{-1, -1.5F}, {0}, 0};
  EXPECT_EQ(negative.token(params), 1);  // -2 against -1.5
}

TEST(SamplerTest, PresenceAndFrequencyCountTheOutputAlone) {
  SamplingParams params = greedy();
  params.presence_penalty = 1;
  EXPECT_EQ((Row{{3, 2.5F}, {0, 0}, 2}.token(params)), 0);
  EXPECT_EQ((Row{{3, 2.5F}, {0, 0}, 1}.token(params)), 1);
  EXPECT_EQ((Row{{3, 1.5F}, {0, 0, 0}, 0}.token(params)), 0);
  params.presence_penalty = 0;
  params.frequency_penalty = 0.5F;
  EXPECT_EQ((Row{{3, 1.75F}, {0, 0}, 0}.token(params)), 0);
  EXPECT_EQ((Row{{3, 1.75F}, {0, 0, 0}, 0}.token(params)), 1);
  params.frequency_penalty = -2;
  EXPECT_EQ((Row{{3, 2}, {1}, 0}.token(params)), 1);
}

TEST(SamplerTest, LogitBiasAndMinTokens) {
  SamplingParams params = greedy();
  params.logit_bias = {{0, -100.0F}, {2, 1.5F}};
  EXPECT_EQ((Row{{3, 2, 1}}.token(params)), 2);
  params.logit_bias = {{1, kInfinity}};
  EXPECT_EQ((Row{{3, 2, 1}}.token(params)), 1);
  params.logit_bias.clear();
  params.min_tokens = 2;
  EXPECT_EQ((Row{{3, 2, 1}, {5, 0}, 1, {0}}.token(params)), 1);
  EXPECT_EQ((Row{{3, 2, 1}, {1, 0, 0}, 1, {0}}.token(params)), 0);
}

TEST(SamplerTest, EverythingMaskedIsAnError) {
  SamplingParams params;
  params.logit_bias = {{0, -kInfinity}, {1, -kInfinity}};
  for (const float temperature : {0.0F, 1.0F}) {
    params.temperature = temperature;
    Row row{{1, 2}};
    const auto output = row.sample(params);
    ASSERT_FALSE(output.ok());
    EXPECT_EQ(output.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(row.logits, (std::vector<float>{1, 2})) << "put back";
  }
}

TEST(SamplerTest, MaskedTokensAreNeverDrawn) {
  SamplingParams params;
  params.logit_bias = {{0, -kInfinity}, {3, -kInfinity}};
  for (const float top_p : {1.0F, 0.999F}) {
    for (const int top_k : {0, 3}) {
      params.top_p = top_p;
      params.top_k = top_k;
      EXPECT_EQ((Row{{1, 1, 1, 9}}.reachable(params)), (std::set<TokenId>{1, 2}));
    }
  }
}

TEST(SamplerTest, ExtremeTemperatures) {
  SamplingParams params;
  params.temperature = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ((Row{{1, 1.0001F, 0}}.reachable(params)), (std::set<TokenId>{1}));
  params.temperature = 1e6F;
  EXPECT_EQ((Row{{-50, 0, 50}}.reachable(params)), (std::set<TokenId>{0, 1, 2}));
  Row wide{{3e38F, -3e38F, 0}};
  for (const float temperature : {0.0F, 1e-3F, 1.0F, 1e6F}) {
    params.temperature = temperature;
    EXPECT_EQ(wide.token(params), 0);
  }
}

TEST(SamplerTest, LogprobsAreTheModelsOwn) {
  SamplingParams params = greedy();
  params.num_logprobs = 2;
  params.logit_bias = {{0, -100.0F}, {3, -kInfinity}};
  Row row{{std::log(0.5F), std::log(0.125F), std::log(0.125F), std::log(0.25F)}};
  const auto output = row.sample(params);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->token, 1);
  EXPECT_NEAR(*output->logprob, std::log(0.125), 1e-6);
  ASSERT_EQ(output->top_logprobs.size(), 2U);
  EXPECT_EQ(output->top_logprobs[0].token, 0);
  EXPECT_NEAR(output->top_logprobs[0].logprob, std::log(0.5), 1e-6);
  EXPECT_EQ(output->top_logprobs[1].token, 3);
  params.num_logprobs = 99;
  EXPECT_EQ(row.sample(params)->top_logprobs.size(), 4U);
  params.num_logprobs = 0;
  EXPECT_TRUE(row.sample(params)->top_logprobs.empty());
  EXPECT_TRUE(row.sample(params)->logprob.has_value());
  params.num_logprobs = -1;
  EXPECT_FALSE(row.sample(params)->logprob.has_value());
}

TEST(SamplerTest, TheDrawDependsOnSeedAndOutputIndexAlone) {
  std::vector<float> logits(1000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = std::sin(static_cast<float>(i));
  SamplingParams params;
  params.seed = 7;
  Sampler sampler(logits.size());
  const auto draw = [&](std::vector<TokenId> tokens, size_t num_prompt_tokens) {
    return sampler.sample(params, {logits, {tokens, num_prompt_tokens}, {}})->token;
  };
  const TokenId first = draw({1, 2, 3}, 3);
  const TokenId second = draw({1, 2, 3, 4}, 3);
  EXPECT_NE(first, second);
  EXPECT_EQ(draw({1, 2, 3}, 3), first) << "what was drawn before does not matter";
  EXPECT_EQ(draw({9}, 1), first) << "nor does the prompt";
  params.seed = 8;
  EXPECT_NE(draw({1, 2, 3}, 3), first);
}

}  // namespace
}  // namespace twostroke

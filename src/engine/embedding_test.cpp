// Goal: an embedding has the same bits alone, in a crowd, in chunks and after a preemption, and
// ends its request without a token. Method: a fake model whose hidden states are known.
#include <gtest/gtest.h>

#include "engine/pooling.h"
#include "testing/engine_fixture.h"

namespace twostroke {
namespace {

// [hidden] of fake_hidden() for each position, pooled by hand.
std::vector<float> expected_mean(const std::vector<TokenId>& prompt) {
  std::vector<float> mean;
  for (int i = 0; i < kFakeHiddenSize; ++i) {
    double sum = 0;
    for (size_t n = 1; n <= prompt.size(); ++n) {
      sum += double{fake_hidden(std::span(prompt).first(n))[static_cast<size_t>(i)]};
    }
    mean.push_back(static_cast<float>(sum / static_cast<double>(prompt.size())));
  }
  return mean;
}

TEST(Pooler, TakesTheRowsItIsAskedFor) {
  const std::vector<float> one = {1, 2}, two = {3, 6};
  Pooler mean(Pooling::kMean, 2);
  mean.add(0, two);
  mean.add(0, one);  // begun anew
  mean.add(1, two);
  EXPECT_EQ(mean.result(), (std::vector<float>{2, 4}));
  Pooler last(Pooling::kLast, 2);
  EXPECT_FALSE(last.wants(0));
  last.add(1, two);
  EXPECT_EQ(last.result(), two);
  Pooler cls(Pooling::kCls, 2);
  EXPECT_FALSE(cls.wants(1));
  cls.add(0, one);
  EXPECT_EQ(cls.result(), one);
}

TEST_F(EngineFixture, EmbeddingsAreTheSameHoweverTheyAreCut) {
  const std::vector<TokenId> prompt = prompt_of(37);
  for (const int max_step_tokens : {64, 7}) {
    for (const int num_blocks : {64, 14}) {
      config_.max_step_tokens = max_step_tokens;
      model_config_.num_blocks = num_blocks;
      make_engine();
      const Client text = submit(input_of(prompt_of(20, 3), 12));
      std::vector<Client> clients;
      for (const Pooling pooling : {Pooling::kMean, Pooling::kLast, Pooling::kCls}) {
        RequestInput input = input_of(prompt, 1);
        input.pooling = pooling;
        input.cache_prompt = false;
        clients.push_back(submit(input));
      }
      run_until_idle();
      const RequestSummary mean = answer_of(clients[0]).summary;
      EXPECT_EQ(mean.embedding, expected_mean(prompt));
      EXPECT_EQ(mean.num_output_tokens, 0);
      EXPECT_EQ(mean.finish_reason, FinishReason::kStop);
      EXPECT_EQ(answer_of(clients[1]).summary.embedding, fake_hidden(prompt));
      EXPECT_EQ(answer_of(clients[2]).summary.embedding, fake_hidden(std::span(prompt).first(1)));
      EXPECT_EQ(answer_of(text).summary.num_output_tokens, 12);
    }
  }
}

TEST_F(EngineFixture, AnEmbeddingTakesNothingFromTheCache) {
  make_engine();
  RequestInput input = input_of(prompt_of(9), 1);
  input.pooling = Pooling::kMean;
  EXPECT_EQ(refusal_of(input).field, "cache_prompt");
}

}  // namespace
}  // namespace twostroke

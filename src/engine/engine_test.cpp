// Engine: how requests begin, run and end. The oracle for tokens is fake_generate(): the offline
// loop over the same hash.
#include "engine/engine.h"

#include <algorithm>

#include "testing/engine_fixture.h"

namespace twostroke {
namespace {

using EngineTest = EngineFixture;

TEST_F(EngineTest, GeneratesWhatTheModelSays) {
  make_engine();
  const Answer answer = run_alone(input_of(prompt_of(10), 7));
  EXPECT_EQ(answer.tokens, fake_generate(prompt_of(10), 7, 64));
  EXPECT_EQ(answer.summary.finish_reason, FinishReason::kLength);
  EXPECT_EQ(answer.summary.num_prompt_tokens, 10);
  EXPECT_EQ(answer.summary.num_output_tokens, 7);
  EXPECT_EQ(answer.summary.num_steps, 7);
  EXPECT_EQ(answer.text.size(), 7U);
  EXPECT_FALSE(answer.summary.error.has_value());
}

TEST_F(EngineTest, ChunkedEqualsAlone) {
  config_.max_step_tokens = 4;
  make_engine();
  const Answer answer = run_alone(input_of(prompt_of(30), 5));
  EXPECT_EQ(answer.tokens, fake_generate(prompt_of(30), 5, 64));
  EXPECT_EQ(answer.summary.num_steps, 8 + 4);  // 30 tokens in chunks of 4, then one each
}

TEST_F(EngineTest, ManyAtOnceEqualAlone) {
  make_engine();
  std::vector<Client> clients;
  for (TokenId i = 0; i < 8; ++i) clients.push_back(submit(input_of(prompt_of(5 + 3 * i, i), 9)));
  run_until_idle();
  for (TokenId i = 0; i < 8; ++i) {
    EXPECT_EQ(answer_of(clients[static_cast<size_t>(i)]).tokens,
              fake_generate(prompt_of(5 + 3 * i, i), 9, 64));
  }
}

TEST_F(EngineTest, PreemptedEqualsAlone) {
  model_config_.num_blocks = 10;  // 40 tokens: three requests of 8 + 20 do not fit at once
  make_engine();
  std::vector<Client> clients;
  for (TokenId i = 0; i < 3; ++i) clients.push_back(submit(input_of(prompt_of(8, i), 20)));
  run_until_idle();
  int num_preemptions = 0;
  for (TokenId i = 0; i < 3; ++i) {
    const Answer answer = answer_of(clients[static_cast<size_t>(i)]);
    EXPECT_EQ(answer.tokens, fake_generate(prompt_of(8, i), 20, 64));
    num_preemptions += answer.summary.num_preemptions;
    EXPECT_EQ(answer.summary.ledger.of(Cause::kPreempted) > 0, answer.summary.num_preemptions > 0);
  }
  EXPECT_GT(num_preemptions, 0);
  EXPECT_EQ(engine_->stats().num_preemptions, num_preemptions);
}

TEST_F(EngineTest, ASecondPromptWithTheSameBeginningReusesIt) {
  make_engine();
  run_alone(input_of(prompt_of(20), 2));
  const int64_t before = model_->num_tokens_computed();
  const Answer answer = run_alone(input_of(prompt_of(22), 2));
  EXPECT_EQ(answer.summary.num_cached_tokens, 20);
  EXPECT_EQ(model_->num_tokens_computed() - before, 2 + 1);
  EXPECT_EQ(answer.tokens, fake_generate(prompt_of(22), 2, 64));
  EXPECT_EQ(engine_->stats().num_cached_tokens, 20);
}

TEST_F(EngineTest, CachePromptFalseComputesEverything) {
  make_engine();
  run_alone(input_of(prompt_of(20), 2));
  RequestInput input = input_of(prompt_of(20), 2);
  input.cache_prompt = false;
  const Answer answer = run_alone(std::move(input));
  EXPECT_EQ(answer.summary.num_cached_tokens, 0);
}

TEST_F(EngineTest, SaltsNeverShare) {
  make_engine();
  RequestInput salted = input_of(prompt_of(20), 2);
  salted.cache_salt = "tenant-1";
  run_alone(std::move(salted));
  EXPECT_EQ(run_alone(input_of(prompt_of(20), 2)).summary.num_cached_tokens, 0);
  RequestInput other = input_of(prompt_of(20), 2);
  other.cache_salt = "tenant-2";
  EXPECT_EQ(run_alone(std::move(other)).summary.num_cached_tokens, 0);
  RequestInput same = input_of(prompt_of(20), 2);
  same.cache_salt = "tenant-1";
  EXPECT_EQ(run_alone(std::move(same)).summary.num_cached_tokens, 16);
}

TEST_F(EngineTest, ResetForgetsThePrefixCache) {
  make_engine();
  run_alone(input_of(prompt_of(20), 2));
  EXPECT_GT(engine_->stats().num_blocks_cached, 0);
  engine_->reset_prefix_cache();
  run_until_idle();
  EXPECT_EQ(engine_->stats().num_blocks_cached, 0);
  EXPECT_EQ(run_alone(input_of(prompt_of(20), 2)).summary.num_cached_tokens, 0);
}

TEST_F(EngineTest, AFullContextEndsWithLength) {
  config_.max_model_len = 12;
  make_engine();
  const Answer answer = run_alone(input_of(prompt_of(10), 100));
  EXPECT_EQ(answer.tokens.size(), 2U);
  EXPECT_EQ(answer.summary.finish_reason, FinishReason::kLength);
}

TEST_F(EngineTest, ThePoolBoundsTheContext) {
  model_config_.num_blocks = 4;  // 16 tokens
  make_engine();
  EXPECT_EQ(engine_->max_model_len(), 16);
  const Answer answer = run_alone(input_of(prompt_of(10), 100));
  EXPECT_EQ(answer.tokens, fake_generate(prompt_of(10), 6, 64));
}

TEST_F(EngineTest, StopsAtAnEndOfGenerationToken) {
  const std::vector<TokenId> expected = fake_generate(prompt_of(10), 20, 64);
  const TokenId end = expected[6];
  const auto first = static_cast<size_t>(std::ranges::find(expected, end) - expected.begin());
  text_ = std::make_unique<FakeTokenText>(64, std::vector<TokenId>{end});
  make_engine();
  const Answer answer = run_alone(input_of(prompt_of(10), 20));
  EXPECT_EQ(answer.summary.finish_reason, FinishReason::kStop);
  EXPECT_EQ(answer.tokens.size(), first + 1);  // the token counts, but adds no text
  EXPECT_EQ(answer.text.size(), first);
  RequestInput input = input_of(prompt_of(10), 20);
  input.ignore_eos = true;
  EXPECT_EQ(run_alone(std::move(input)).tokens, expected);
}

TEST_F(EngineTest, StopsAtARequestsOwnStopTokenOrString) {
  make_engine();
  const std::vector<TokenId> expected = fake_generate(prompt_of(10), 20, 64);
  RequestInput by_token = input_of(prompt_of(10), 20);
  by_token.stop_token_ids = {expected[3]};
  EXPECT_EQ(run_alone(std::move(by_token)).summary.finish_reason, FinishReason::kStop);

  const std::string whole = run_alone(input_of(prompt_of(10), 20)).text;
  RequestInput by_string = input_of(prompt_of(10), 20);
  by_string.stop = {"not there", whole.substr(8, 3)};
  const Answer answer = run_alone(std::move(by_string));
  EXPECT_EQ(answer.text, whole.substr(0, whole.find(whole.substr(8, 3))));
  EXPECT_EQ(answer.summary.stop_string, whole.substr(8, 3));
  EXPECT_EQ(answer.summary.finish_reason, FinishReason::kStop);
}

TEST_F(EngineTest, MinTokensMasksEverythingThatWouldStop) {
  const std::vector<TokenId> expected = fake_generate(prompt_of(10), 3, 64);
  make_engine();
  RequestInput input = input_of(prompt_of(10), 20);
  input.stop_token_ids = {expected[0]};
  input.sampling.min_tokens = 5;
  const Answer answer = run_alone(std::move(input));
  EXPECT_GE(answer.tokens.size(), 5U);
  for (size_t i = 0; i < 5; ++i) EXPECT_NE(answer.tokens[i], expected[0]);
}

TEST_F(EngineTest, LogprobsComeWithTheirTokens) {
  make_engine();
  RequestInput input = input_of(prompt_of(10), 3);
  input.sampling.num_logprobs = 2;
  const Client client = submit(std::move(input));
  run_until_idle();
  for (const TokenEvent& event : client.stream->take()) {
    ASSERT_TRUE(event.logprob.has_value());
    EXPECT_EQ(event.logprob->token, event.token);
    EXPECT_LT(event.logprob->logprob, 0);
    ASSERT_EQ(event.top_logprobs.size(), 2U);
    EXPECT_EQ(event.top_logprobs[0].token, event.token);  // greedy: the likeliest
  }
}

TEST_F(EngineTest, ADrawDependsOnTheSeedAndNotOnTheBatch) {
  make_engine();
  const auto sampled_input = [&](uint64_t seed) {
    RequestInput input = input_of(prompt_of(10), 12);
    input.sampling.temperature = 2.0F;
    input.sampling.seed = seed;
    return input;
  };
  const std::vector<TokenId> alone = run_alone(sampled_input(7)).tokens;
  EXPECT_NE(run_alone(sampled_input(8)).tokens, alone);
  submit(input_of(prompt_of(25, 3), 9));
  const Client crowded = submit(sampled_input(7));
  submit(input_of(prompt_of(5, 4), 9));
  run_until_idle();
  EXPECT_EQ(answer_of(crowded).tokens, alone);
}

TEST_F(EngineTest, CancelEndsWithinOneStepWhereverTheRequestIs) {
  config_.max_running = 1;
  config_.max_step_tokens = 8;
  make_engine();
  const Client decoding = submit(input_of(prompt_of(4), 50));
  step(3);
  const Client queued = submit(input_of(prompt_of(4), 50));
  step(1);
  engine_->cancel(queued.id);
  engine_->cancel(queued.id);  // twice is once
  step(1);
  const Answer never_ran = answer_of(queued);
  EXPECT_EQ(never_ran.summary.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(never_ran.summary.num_steps, 0);
  EXPECT_EQ(never_ran.summary.events.scheduled_ns, -1);
  EXPECT_GT(never_ran.summary.ledger.of(Cause::kWaitBatch), 0);

  engine_->cancel(decoding.id);
  const int64_t steps = model_->num_forwards();
  step(1);
  EXPECT_EQ(model_->num_forwards(), steps);
  EXPECT_EQ(answer_of(decoding).tokens, fake_generate(prompt_of(4), 5, 64));

  const Client prefilling = submit(input_of(prompt_of(40), 50));
  step(2);
  engine_->cancel(prefilling.id);
  step(1);
  EXPECT_TRUE(answer_of(prefilling).tokens.empty());
  engine_->cancel(prefilling.id);  // over: ignored
  engine_->cancel(12345);
  step(1);
  EXPECT_EQ(engine_->stats().num_running + engine_->stats().num_waiting, 0);
}

TEST_F(EngineTest, LogitsThatAreNotFiniteEndThatRequestOnly) {
  const std::vector<TokenId> healthy = fake_generate(prompt_of(10), 12, 64);
  for (TokenId poison = 0; poison < 64; ++poison) {
    if (std::ranges::find(healthy, poison) == healthy.end() && poison != prompt_of(10).back()) {
      model_config_.poison_token = poison;
    }
  }
  make_engine();
  const Client good = submit(input_of(prompt_of(10), 12));
  const Client bad = submit(input_of({1, 2, model_config_.poison_token}, 12));
  run_until_idle();
  EXPECT_EQ(answer_of(good).tokens, healthy);
  const Answer failed = answer_of(bad);
  EXPECT_EQ(failed.summary.finish_reason, FinishReason::kError);
  ASSERT_TRUE(failed.summary.error.has_value());
  EXPECT_NE(failed.summary.error->message.find("not finite"), std::string::npos);
}

TEST_F(EngineTest, ReportsProgressOfAPrefill) {
  config_.max_step_tokens = 8;
  make_engine();
  run_alone(input_of(prompt_of(8), 1));
  RequestInput input = input_of(prompt_of(24), 2);
  input.return_progress = true;
  const Client client = submit(std::move(input));
  for (const int processed : {16, 24}) {
    step(1);
    const std::optional<ProgressEvent> progress = client.stream->take_progress();
    ASSERT_TRUE(progress.has_value());
    EXPECT_EQ(progress->total, 24);
    EXPECT_EQ(progress->cached, 8);
    EXPECT_EQ(progress->processed, processed);
    EXPECT_GT(progress->time_ms, 0);
  }
  step(1);
  EXPECT_FALSE(client.stream->take_progress().has_value());
}

TEST_F(EngineTest, RefusesWhatIsPastALimitAndSaysWhich) {
  config_.max_model_len = 50;
  make_engine();
  const Error too_long = refusal_of(input_of(prompt_of(50), 1));
  EXPECT_EQ(too_long.code, ErrorCode::kTooLarge);
  EXPECT_NE(too_long.message.find("50 tokens"), std::string::npos) << too_long.message;
  EXPECT_NE(too_long.message.find("at most 49"), std::string::npos) << too_long.message;
  EXPECT_EQ(refusal_of(input_of({}, 1)).field, "prompt");
  EXPECT_EQ(refusal_of(input_of({64}, 1)).field, "prompt");
  EXPECT_EQ(refusal_of(input_of({1}, 0)).field, "max_tokens");
  for (int i = 0; i < config_.max_live_requests(); ++i) submit(input_of({1}, 1));
  EXPECT_EQ(refusal_of(input_of({1}, 1)).code, ErrorCode::kOverloaded);
  run_until_idle();
  submit(input_of({1}, 1));
}

TEST_F(EngineTest, DrainFinishesWhatRunsAndRefusesTheRest) {
  make_engine();
  const Client client = submit(input_of(prompt_of(4), 9));
  engine_->drain(std::chrono::milliseconds(60'000));
  EXPECT_EQ(answer_of(client).tokens.size(), 9U);
  EXPECT_EQ(refusal_of(input_of({1}, 1)).code, ErrorCode::kOverloaded);
}

TEST_F(EngineTest, StopCancelsWhatRuns) {
  make_engine();
  const Client running = submit(input_of(prompt_of(4), 90));
  step(2);
  const Client fresh = submit(input_of(prompt_of(4), 90));
  engine_->stop();
  EXPECT_EQ(answer_of(running).summary.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(answer_of(fresh).summary.finish_reason, FinishReason::kCancelled);
}

TEST_F(EngineTest, KeepsARecordOfItsSteps) {
  config_.num_step_records = 4;
  make_engine();
  run_alone(input_of(prompt_of(10), 7));
  const std::vector<StepRecord> records = engine_->observer().steps().since(0);
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records.front().step, 4);
  EXPECT_EQ(records.back().step, 7);
  EXPECT_EQ(records.back().num_decode_tokens, 1);
  EXPECT_EQ(records.back().num_prefill_tokens, 0);
  EXPECT_EQ(records.back().forward_end_ns - records.back().forward_start_ns, 1'050'000);
  EXPECT_EQ(engine_->observer().steps().since(6).size(), 1U);
}

}  // namespace
}  // namespace twostroke

// EngineFixture: an engine over a FakeModel, stepped by the test on a clock that only the fake
// model moves.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/engine.h"
#include "testing/fake_model.h"
#include "testing/fake_token_text.h"

namespace twostroke {

class EngineFixture : public testing::Test {
 protected:
  struct Client {
    RequestId id = 0;
    std::shared_ptr<TokenStream> stream;
  };

  // Everything the stream brought, once it is finished.
  struct Answer {
    std::vector<TokenId> tokens;
    std::string text;
    std::vector<FinishReason> finish_reasons;  // of each event
    RequestSummary summary;
  };

  EngineFixture() { clock_.advance_ns(1'000'000'000); }

  void make_engine() {
    engine_.reset();
    model_ = std::make_unique<FakeModel>(model_config_, &clock_);
    if (!text_) text_ = std::make_unique<FakeTokenText>(model_config_.vocab_size);
    Result<std::unique_ptr<Engine>> engine = Engine::create(config_, *model_, *text_, clock_);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::move(engine).value();
  }

  static std::vector<TokenId> prompt_of(int size, TokenId first = 1) {
    std::vector<TokenId> prompt(static_cast<size_t>(size));
    for (int i = 0; i < size; ++i) prompt[static_cast<size_t>(i)] = (first + 7 * i) % 60;
    return prompt;
  }

  // As the server fills it in, with a little time between the stages.
  RequestInput input_of(std::vector<TokenId> prompt, int max_tokens) {
    RequestInput input;
    input.prompt = std::move(prompt);
    input.max_tokens = max_tokens;
    input.sampling.temperature = 0;
    input.received_ns = clock_.now_ns();
    clock_.advance_ns(11);
    input.parsed_ns = clock_.now_ns();
    clock_.advance_ns(13);
    input.templated_ns = clock_.now_ns();
    clock_.advance_ns(17);
    input.tokenized_ns = clock_.now_ns();
    clock_.advance_ns(19);
    return input;
  }

  Client submit(RequestInput input) {
    auto stream = std::make_shared<TokenStream>();
    Result<RequestId> id = engine_->submit(std::move(input), stream);
    EXPECT_TRUE(id.ok()) << (id.ok() ? "" : id.error().message);
    return {id.ok() ? id.value() : 0, stream};
  }

  Error refusal_of(RequestInput input) {
    Result<RequestId> id = engine_->submit(std::move(input), std::make_shared<TokenStream>());
    EXPECT_FALSE(id.ok());
    return id.ok() ? Error{} : id.error();
  }

  void step(int count = 1) {
    for (int i = 0; i < count; ++i) {
      engine_->step_once();
      engine_->check_invariants();
    }
  }

  void run_until_idle() {
    int num_steps = 0;
    while (engine_->step_once()) {
      engine_->check_invariants();
      ASSERT_LT(++num_steps, 100'000);
    }
  }

  // Also checks law 2 for the request, however it ended.
  static Answer answer_of(const Client& client) {
    Answer answer;
    EXPECT_TRUE(client.stream->finished());
    if (!client.stream->finished()) return answer;
    for (TokenEvent& event : client.stream->take()) {
      if (event.token != kNoToken) answer.tokens.push_back(event.token);
      answer.text += event.text;
      answer.finish_reasons.push_back(event.finish_reason);
    }
    answer.summary = client.stream->summary();
    const Ledger& ledger = answer.summary.ledger;
    EXPECT_EQ(std::accumulate(ledger.causes_ns().begin(), ledger.causes_ns().end(), int64_t{0}),
              answer.summary.events.finished_ns - answer.summary.events.received_ns);
    EXPECT_EQ(answer.summary.num_output_tokens, static_cast<int>(answer.tokens.size()));
    EXPECT_EQ(answer.finish_reasons.back(), answer.summary.finish_reason);
    return answer;
  }

  // The answer to a prompt nobody else disturbs.
  Answer run_alone(RequestInput input) {
    const Client client = submit(std::move(input));
    run_until_idle();
    return answer_of(client);
  }

  EngineConfig config_{.max_step_tokens = 32, .max_running = 4, .max_waiting = 8};
  FakeModelConfig model_config_;
  ManualClock clock_;
  std::unique_ptr<FakeModel> model_;
  std::unique_ptr<FakeTokenText> text_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace twostroke

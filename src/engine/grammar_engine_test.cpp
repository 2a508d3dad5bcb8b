// Goal: a request with a grammar gets an output in its language, the same one whatever else runs,
// and a grammar that fails ends its own request alone. Method: a fake model whose tokens are
// characters, real grammars and made-up ones.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sampling/grammar_compiler.h"
#include "testing/engine_fixture.h"

namespace twostroke {
namespace {

constexpr TokenId kEnd = 63;

std::vector<std::string> pieces() {
  std::vector<std::string> all;
  for (const char c : std::string("{}[]\":, 0123456789abcdefghijklmnopqrstuvwxyz\n-.")) {
    all.emplace_back(1, c);
  }
  for (const char* text : {"\":", "\",", "true", "false", "null", "ab", "\"}", "12"}) {
    all.emplace_back(text);
  }
  all.resize(64);
  return all;
}

class BrokenMatcher final : public GrammarMatcher {
 public:
  explicit BrokenMatcher(int num_good) : num_left_(num_good) {}
  Status compute_mask(std::span<uint32_t> mask) override {
    if (num_left_-- <= 0) return Error{ErrorCode::kInvalidArgument, "too complex", ""};
    std::fill(mask.begin(), mask.end(), ~0U);
    return {};
  }
  Status accept(TokenId) override { return {}; }

 private:
  int num_left_;
};

class BrokenGrammar final : public Grammar {
 public:
  explicit BrokenGrammar(int num_good) : num_good_(num_good) {}
  std::unique_ptr<GrammarMatcher> start() const override {
    return std::make_unique<BrokenMatcher>(num_good_);
  }

 private:
  int num_good_;
};

class GrammarEngineTest : public EngineFixture {
 protected:
  GrammarEngineTest() {
    text_ = std::make_unique<FakeTokenText>(64, std::vector<TokenId>{kEnd}, pieces());
    GrammarVocabulary vocabulary;
    vocabulary.token_bytes = pieces();
    vocabulary.token_bytes[kEnd] = "<|end|>";
    vocabulary.is_special.resize(64);
    vocabulary.is_special[kEnd] = true;
    vocabulary.end_tokens = {kEnd};
    auto compiler = GrammarCompiler::create(std::move(vocabulary));
    EXPECT_TRUE(compiler.ok());
    compiler_ = std::move(compiler).value();
  }

  RequestInput constrained(const std::string& schema, int max_tokens = 400, TokenId first = 1) {
    RequestInput input = input_of(prompt_of(6, first), max_tokens);
    input.sampling.temperature = 1;
    input.sampling.seed = static_cast<uint64_t>(first);
    auto grammar = compiler_->compile({GrammarSpec::Kind::kJsonSchema, schema, "response_format"});
    EXPECT_TRUE(grammar.ok());
    input.grammar = std::move(grammar).value();
    return input;
  }

  std::unique_ptr<GrammarCompiler> compiler_;
};

const std::string kSchema =
    R"({"type":"object","properties":{"name":{"type":"string","pattern":"^[a-z]{1,8}$"},
        "ok":{"type":"boolean"},"n":{"type":"integer","minimum":0,"maximum":99}},
        "required":["name","ok","n"],"additionalProperties":false})";

TEST_F(GrammarEngineTest, TheOutputIsInTheLanguageAndEndsByItself) {
  make_engine();
  for (TokenId first = 1; first < 12; ++first) {
    const Answer answer = run_alone(constrained(kSchema, 400, first));
    const auto value = nlohmann::json::parse(answer.text, nullptr, false);
    ASSERT_TRUE(value.is_object()) << answer.text;
    EXPECT_TRUE(value["name"].is_string() && value["ok"].is_boolean() && value["n"].is_number());
    EXPECT_EQ(value.size(), 3U);
    EXPECT_EQ(answer.summary.finish_reason, FinishReason::kStop);
    EXPECT_EQ(answer.summary.grammar.num_masks, answer.summary.num_output_tokens);
    EXPECT_GT(answer.summary.grammar.mask_ns, 0);
  }
}

TEST_F(GrammarEngineTest, TruncationIsReportedAsLength) {
  make_engine();
  const Answer answer = run_alone(constrained(kSchema, 3));
  EXPECT_EQ(answer.summary.finish_reason, FinishReason::kLength);
  EXPECT_EQ(answer.text.front(), '{');
}

TEST_F(GrammarEngineTest, TheGrammarEndsTheAnswerWhateverElseIsAsked) {
  make_engine();
  RequestInput input = constrained(R"({"enum":["ab"]})");
  input.ignore_eos = true;
  input.sampling.min_tokens = 50;
  const Answer answer = run_alone(std::move(input));
  EXPECT_EQ(answer.text, "\"ab\"");
  EXPECT_EQ(answer.summary.finish_reason, FinishReason::kStop);
}

TEST_F(GrammarEngineTest, TogetherAndPreemptedEqualAlone) {
  model_config_.num_blocks = 14;
  make_engine();
  std::vector<std::string> alone;
  for (TokenId first = 1; first <= 4; ++first) {
    alone.push_back(run_alone(constrained(kSchema, 40, first)).text);
  }
  std::vector<Client> clients;
  for (TokenId first = 1; first <= 4; ++first) {
    clients.push_back(submit(constrained(kSchema, 40, first)));
  }
  run_until_idle();
  int num_preemptions = 0;
  for (size_t i = 0; i < clients.size(); ++i) {
    const Answer answer = answer_of(clients[i]);
    EXPECT_EQ(answer.text, alone[i]);
    num_preemptions += answer.summary.num_preemptions;
  }
  EXPECT_GT(num_preemptions, 0) << "the test must preempt somebody";
}

TEST_F(GrammarEngineTest, AFailingGrammarEndsItsOwnRequest) {
  make_engine();
  const std::vector<TokenId> undisturbed = run_alone(input_of(prompt_of(5), 20)).tokens;
  for (const int num_good : {0, 3}) {
    RequestInput broken = input_of(prompt_of(6), 20);
    broken.grammar = std::make_shared<BrokenGrammar>(num_good);
    const Client failing = submit(std::move(broken));
    const Client other = submit(input_of(prompt_of(5), 20));
    run_until_idle();
    const Answer answer = answer_of(failing);
    EXPECT_EQ(answer.summary.finish_reason, FinishReason::kError);
    EXPECT_EQ(answer.summary.error->message, "too complex");
    EXPECT_EQ(answer.summary.num_output_tokens, num_good);
    EXPECT_EQ(answer_of(other).tokens, undisturbed);
  }
}

TEST_F(GrammarEngineTest, CancelledAndDroppedWhileMasksAreMade) {
  make_engine();
  for (int steps = 0; steps < 6; ++steps) {
    const Client client = submit(constrained(kSchema));
    step(steps);
    engine_->cancel(client.id);
    run_until_idle();
    EXPECT_EQ(answer_of(client).summary.finish_reason, FinishReason::kCancelled);
  }
  submit(constrained(kSchema));
  step(2);
  engine_.reset();  // ends with a job under way
}

TEST_F(GrammarEngineTest, LogprobsAreTheModelsOwn) {
  make_engine();
  RequestInput input = constrained(R"({"enum":["ab"]})");
  input.sampling.temperature = 0;
  input.sampling.num_logprobs = 2;
  const Client client = submit(std::move(input));
  run_until_idle();
  const std::vector<TokenEvent> events = client.stream->take();
  ASSERT_FALSE(events.empty());
  const TokenEvent& event = events.front();
  ASSERT_TRUE(event.logprob.has_value());
  EXPECT_EQ(event.logprob->token, event.token);
  EXPECT_TRUE(std::isfinite(event.logprob->logprob));
  EXPECT_GE(event.top_logprobs.front().logprob, event.logprob->logprob);
}

}  // namespace
}  // namespace twostroke

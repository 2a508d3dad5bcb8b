// Golden replies: what comes out for a given sequence of engine events, byte for byte.
#include "server/generation.h"

#include <gtest/gtest.h>

#include "server/fake_engine_client.h"
#include "server/fake_model_services.h"

namespace twostroke {
namespace {

constexpr int64_t kMs = 1'000'000;

TokenEvent token(char c, int number, FinishReason finish = FinishReason::kNone) {
  TokenEvent event;
  event.token = c;
  event.text = std::string(1, c);
  event.num_output_tokens = number;
  event.sampled_ns = (30 + 10 * number) * kMs;
  event.finish_reason = finish;
  return event;
}

// Received at 10 ms, queued 13, scheduled 20, first token 40, one every 10 ms.
RequestSummary summary_of(int num_output, FinishReason finish) {
  RequestSummary summary;
  summary.num_prompt_tokens = 8;
  summary.num_cached_tokens = 3;
  summary.num_output_tokens = num_output;
  summary.num_steps = num_output;
  summary.finish_reason = finish;
  summary.events = {10 * kMs, 12 * kMs, 13 * kMs, 20 * kMs, 40 * kMs, (30 + 10 * num_output) * kMs,
                    -1};
  summary.ledger = Ledger(10 * kMs);
  summary.ledger.book_until(13 * kMs, Cause::kParse);
  summary.ledger.book_until(20 * kMs, Cause::kWaitTurn);
  summary.ledger.book_until(40 * kMs, Cause::kPrefillOwn);
  summary.ledger.book_until(summary.events.last_token_ns, Cause::kDecodeOwn);
  return summary;
}

class GenerationTest : public testing::Test {
 protected:
  GenerationTest() { clock_.advance_ns(100 * kMs); }

  GenerationBase base(bool chat, int num_choices = 1, GenerationFlags flags = {}) {
    GenerationBase out{{engine_, model_}, clock_, {chat, "id-1", "fake", 1700000000}, flags, {}};
    for (int i = 0; i < num_choices; ++i) {
      Choice choice;
      choice.tokens = std::make_shared<TokenStream>();
      choice.id = static_cast<RequestId>(i + 1);
      choice.prompt_tokens = 8;
      choice.first_of_prompt = i == 0;
      streams_.push_back(choice.tokens);
      out.choices.push_back(std::move(choice));
    }
    return out;
  }
  static std::string poll(ReplySource& source, bool expect_done) {
    std::string out;
    EXPECT_EQ(source.poll(out), expect_done);
    return out;
  }

  ManualClock clock_;
  FakeEngineClient engine_{clock_};
  FakeModelServices model_;
  std::vector<std::shared_ptr<TokenStream>> streams_;
};

const std::string kHead =
    R"(data: {"id":"id-1","object":"chat.completion.chunk","created":1700000000,"model":"fake",)";
const std::string kTextHead =
    R"(data: {"id":"id-1","object":"text_completion","created":1700000000,"model":"fake",)";
const std::string kTimings =
    R"("timings":{"cache_n":3,"prompt_n":5,"prompt_ms":20.0,"prompt_per_token_ms":4.0,"prompt_per_second":250.0,)"
    R"("predicted_n":2,"predicted_ms":10.0,"predicted_per_token_ms":10.0,"predicted_per_second":100.0})";

TEST_F(GenerationTest, StreamOfAChat) {
  const auto source = make_streamed_generation(base(true));
  EXPECT_EQ(poll(*source, false), "") << "nothing is said before there is something to say";
  streams_[0]->push(token('H', 1));
  EXPECT_EQ(
      poll(*source, false),
      kHead +
          R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)" +
          R"("finish_reason":null}]})" + "\n\n" + kHead +
          R"("choices":[{"index":0,"delta":{"content":"H"},"logprobs":null,"finish_reason":null}]})" +
          "\n\n");
  streams_[0]->push(token('i', 2, FinishReason::kStop));
  EXPECT_EQ(poll(*source, false), "") << "the last token waits for its summary";
  streams_[0]->finish(summary_of(2, FinishReason::kStop));
  EXPECT_EQ(
      poll(*source, true),
      kHead +
          R"("choices":[{"index":0,"delta":{"content":"i"},"logprobs":null,"finish_reason":"stop"}],)" +
          kTimings + "}\n\ndata: [DONE]\n\n");
  EXPECT_EQ(poll(*source, true), "");
}

TEST_F(GenerationTest, StreamOfACompletionWithEchoAndUsage) {
  GenerationBase parts = base(false, 1, {.include_usage = true});
  parts.choices[0].echo = "Say: ";
  const auto source = make_streamed_generation(std::move(parts));
  streams_[0]->push(token('H', 1));
  streams_[0]->push(token('i', 2, FinishReason::kLength));
  streams_[0]->finish(summary_of(2, FinishReason::kLength));
  const auto chunk = [](const std::string& text, const std::string& finish) {
    return kTextHead + R"("choices":[{"index":0,"text":")" + text +
           R"(","logprobs":null,"finish_reason":)" + finish + R"(}],"usage":null})" + "\n\n";
  };
  EXPECT_EQ(
      poll(*source, true),
      chunk("Say: ", "null") + chunk("H", "null") + chunk("i", "\"length\"") + kTextHead +
          R"("choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10,)" +
          R"("prompt_tokens_details":{"cached_tokens":3}},)" + kTimings + "}\n\ndata: [DONE]\n\n");
}

TEST_F(GenerationTest, ProgressOpensTheChoice) {
  const auto source = make_streamed_generation(base(true));
  streams_[0]->push_progress({.total = 8, .cached = 3, .processed = 5, .time_ms = 1.23456});
  EXPECT_EQ(
      poll(*source, false),
      kHead +
          R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)" +
          R"("finish_reason":null}]})" + "\n\n" + kHead +
          R"("choices":[{"index":0,"finish_reason":null,"delta":{}}],)" +
          R"("prompt_progress":{"total":8,"cache":3,"processed":5,"time_ms":1.235}})" + "\n\n");
}

TEST_F(GenerationTest, ContinuousUsageAndTimingsPerToken) {
  const auto source = make_streamed_generation(
      base(false, 1, {.continuous_usage = true, .timings_per_token = true}));
  streams_[0]->push(token('a', 1));
  poll(*source, false);
  streams_[0]->push(token('b', 2));
  const std::string event = poll(*source, false);
  EXPECT_NE(event.find(R"("usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10)"),
            std::string::npos)
      << event;
  EXPECT_NE(event.find(
                R"("timings":{"predicted_n":2,"predicted_ms":10.0,"predicted_per_token_ms":10.0,)"),
            std::string::npos)
      << event;
}

TEST_F(GenerationTest, PhasesRideOnTheLastChunkAndSumExactly) {
  const auto source = make_streamed_generation(base(true, 1, {.phases = true}));
  streams_[0]->push(token('a', 1));
  streams_[0]->push(token('b', 2, FinishReason::kStop));
  streams_[0]->finish(summary_of(2, FinishReason::kStop));
  const std::string events = poll(*source, true);
  const size_t last = events.rfind("data: {");
  const auto chunk =
      OrderedJson::parse(events.substr(last + 6, events.find("\n\n", last) - last - 6));
  ASSERT_TRUE(chunk.contains("phases"));
  const OrderedJson& phases = chunk["phases"];
  EXPECT_EQ(
      dump_json(phases["events_ms"]),
      R"({"received":0.0,"tokenized":2.0,"queued":3.0,"scheduled":10.0,"first_token":30.0,"last_token":40.0,)"
      R"("finished":90.0})");
  EXPECT_EQ(
      dump_json(phases["intervals_ms"]),
      R"({"intake":3.0,"queue":7.0,"prefill":20.0,"decode":10.0,"delivery":50.0,"ttft":30.0,"tpot":10.0})");
  EXPECT_EQ(phases["causes_ns"].size(), static_cast<size_t>(kNumCauses));
  EXPECT_EQ(phases["causes_ns"]["client"], 0) << "the socket took everything";
  int64_t sum = 0;
  for (const auto& [name, ns] : phases["causes_ns"].items()) sum += ns.get<int64_t>();
  EXPECT_EQ(phases["total_ns"], sum);
  EXPECT_EQ(phases["total_ns"], 90 * kMs);
  EXPECT_EQ(phases["steps"], 2);
  EXPECT_EQ(phases["preemptions"], 0);
  EXPECT_TRUE(phases["limits"]["prefill_percent_of_peak"].is_null()) << "nothing was measured";
}

TEST_F(GenerationTest, TwoChoicesInterleaveAndTheLastOneHasTheTimes) {
  const auto source = make_streamed_generation(base(true, 2));
  streams_[1]->push(token('b', 1, FinishReason::kStop));
  streams_[1]->finish(summary_of(1, FinishReason::kStop));
  const std::string first = poll(*source, false);
  EXPECT_NE(
      first.find(R"({"index":1,"delta":{"content":"b"},"logprobs":null,"finish_reason":"stop"})"),
      std::string::npos);
  EXPECT_EQ(first.find("timings"), std::string::npos);
  streams_[0]->push(token('a', 1, FinishReason::kLength));
  streams_[0]->finish(summary_of(1, FinishReason::kLength));
  const std::string second = poll(*source, true);
  EXPECT_NE(second.find(
                R"({"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":"length"})"),
            std::string::npos);
  EXPECT_NE(second.find(R"("predicted_n":2)"), std::string::npos);
}

TEST_F(GenerationTest, AnErrorInTheMiddleEndsTheStream) {
  const auto source = make_streamed_generation(base(true));
  streams_[0]->push(token('a', 1));
  poll(*source, false);
  RequestSummary failed = summary_of(1, FinishReason::kError);
  failed.error = Error{ErrorCode::kOverloaded, "no KV blocks", ""};
  streams_[0]->finish(failed);
  EXPECT_EQ(poll(*source, true),
            "data: {\"error\":{\"message\":\"no KV "
            "blocks\",\"type\":\"server_overloaded\",\"param\":null,"
            "\"code\":\"overloaded\"}}\n\ndata: [DONE]\n\n");
}

TEST_F(GenerationTest, WholeChat) {
  const auto source = make_whole_generation(base(true));
  streams_[0]->push(token('H', 1));
  EXPECT_EQ(poll(*source, false), "");
  streams_[0]->push(token('i', 2, FinishReason::kStop));
  streams_[0]->finish(summary_of(2, FinishReason::kStop));
  EXPECT_EQ(
      poll(*source, true),
      R"({"id":"id-1","object":"chat.completion","created":1700000000,"model":"fake","choices":[{"index":0,)"
      R"("message":{"role":"assistant","content":"Hi"},"logprobs":null,"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10,)"
      R"("prompt_tokens_details":{"cached_tokens":3}},)" +
          kTimings + "}");
  EXPECT_EQ(source->status(), 200);
}

TEST_F(GenerationTest, WholeReplyOfAFailedRequestHasItsStatus) {
  const auto source = make_whole_generation(base(true));
  RequestSummary failed = summary_of(0, FinishReason::kError);
  failed.error = Error{ErrorCode::kTooLarge, "too long", "messages"};
  streams_[0]->finish(failed);
  EXPECT_NE(poll(*source, true).find("context_length_exceeded"), std::string::npos);
  EXPECT_EQ(source->status(), 400);
}

TEST_F(GenerationTest, LogprobsOfBothEndpoints) {
  TokenEvent event = token('H', 1, FinishReason::kLength);
  event.logprob = TokenLogprob{'H', -0.25F};
  event.top_logprobs = {{'H', -0.25F}, {0xE2, -2.0F}, {'x', -INFINITY}};
  for (const bool chat : {true, false}) {
    streams_.clear();
    const auto source = make_whole_generation(base(chat));
    streams_[0]->push(event);
    streams_[0]->finish(summary_of(1, FinishReason::kLength));
    const auto reply = OrderedJson::parse(poll(*source, true));
    EXPECT_EQ(dump_json(reply["choices"][0]["logprobs"]),
              chat
                  ? R"({"content":[{"token":"H","logprob":-0.25,"bytes":[72],"top_logprobs":[)"
                    R"({"token":"H","logprob":-0.25,"bytes":[72]},)"
                    "{\"token\":\"\xEF\xBF\xBD\",\"logprob\":-2.0,\"bytes\":[226]},"
                    R"({"token":"x","logprob":-9999.0,"bytes":[120]}]}]})"
                  : "{\"tokens\":[\"H\"],\"token_logprobs\":[-0.25],\"top_logprobs\":[{\"H\":-0.25,"
                    "\"\xEF\xBF\xBD\":-2.0,\"x\":-9999.0}],\"text_offset\":[0]}");
  }
}

}  // namespace
}  // namespace twostroke

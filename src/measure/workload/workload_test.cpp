// Goal: a workload is what it says, of the stated distribution and lengths, and the same for the
// same seed. Method: moments and exact properties over many draws; files by hand.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "measure/statistics/quantiles.h"
#include "measure/workload/arrival_times.h"
#include "measure/workload/prompt_file.h"
#include "measure/workload/prompt_shape.h"
#include "measure/workload/prompt_source.h"
#include "measure/workload/trace_file.h"

namespace twostroke {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kSecond = 1'000'000'000;

std::vector<double> gaps_of(const std::vector<int64_t>& times) {
  std::vector<double> gaps;
  int64_t last = 0;
  for (const int64_t time : times)
    gaps.push_back(static_cast<double>(time - std::exchange(last, time)) / 1e9);
  return gaps;
}

// A gamma distribution of mean 1 has a coefficient of variation of 1/sqrt(shape).
TEST(ArrivalTimes, HaveTheMeanAndTheSpreadThatWasAsked) {
  constexpr int kCount = 20'000;
  for (const double shape : {0.25, 1.0, 4.0}) {
    const auto times = arrival_times_ns(
        {.kind = ArrivalKind::kOpenLoop, .rate_per_s = 50, .burstiness = shape}, kCount, 3);
    const std::vector<double> gaps = gaps_of(times);
    EXPECT_NEAR(mean_of(gaps), 0.02, 1e-9) << "the last comes exactly at count / rate";
    EXPECT_NEAR(standard_deviation_of(gaps) / mean_of(gaps), 1 / std::sqrt(shape),
                0.05 / std::sqrt(shape));
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  }
}

// Poisson: the share of gaps above x is exp(-x). The largest difference from it (Kolmogorov and
// Smirnov) stays below 1.63 / sqrt(n) in 99 of 100 cases; the seed is fixed.
TEST(ArrivalTimes, OfBurstinessOneArePoisson) {
  std::vector<double> gaps =
      gaps_of(arrival_times_ns({.kind = ArrivalKind::kOpenLoop, .rate_per_s = 1}, 5000, 11));
  std::sort(gaps.begin(), gaps.end());
  double largest = 0;
  for (size_t i = 0; i < gaps.size(); ++i) {
    const double expected = 1 - std::exp(-gaps[i]);
    largest = std::max(largest, std::abs(expected - static_cast<double>(i) / 5000));
  }
  EXPECT_LT(largest, 1.63 / std::sqrt(5000.0));
}

TEST(ArrivalTimes, ConstantAllAtOnceAndRamps) {
  EXPECT_THAT(
      arrival_times_ns({.kind = ArrivalKind::kOpenLoop, .rate_per_s = 10, .burstiness = kInfinity},
                       3, 1),
      ElementsAre(kSecond / 10, kSecond / 5, 3 * kSecond / 10));
  EXPECT_THAT(arrival_times_ns({.kind = ArrivalKind::kOpenLoop, .rate_per_s = kInfinity}, 2, 1),
              ElementsAre(0, 0));
  ArrivalConfig ramp{.kind = ArrivalKind::kOpenLoop, .rate_per_s = 100, .burstiness = kInfinity};
  ramp.ramp = Ramp::kLinear;
  ramp.ramp_start_per_s = 1;
  const std::vector<double> gaps = gaps_of(arrival_times_ns(ramp, 100, 1));
  EXPECT_NEAR(gaps.front(), 1, 1e-6);
  EXPECT_NEAR(gaps.back(), 0.01, 1e-6);
  EXPECT_NEAR(1 / gaps[50], 1 + 99 * 50.0 / 99, 0.01);
  EXPECT_TRUE(arrival_times_ns(ramp, 0, 1).empty());
}

TEST(TraceFile, MooncakeAndAzureAndBurstGpt) {
  const auto mooncake = parse_trace(
      "{\"timestamp\": 3000, \"input_length\": 700, \"output_length\": 5, \"hash_ids\": [1, 2]}\n"
      "\n{\"timestamp\": 1000.5, \"input_length\": 10, \"output_length\": 1, \"hash_ids\": [1]}\n");
  ASSERT_TRUE(mooncake.ok()) << mooncake.error().message;
  ASSERT_EQ(mooncake->size(), 2U);
  EXPECT_EQ((*mooncake)[0].at_ns, 0) << "in order of time, from the first";
  EXPECT_EQ((*mooncake)[0].prompt_tokens, 10);
  EXPECT_EQ((*mooncake)[1].at_ns, 1'999'500'000);
  EXPECT_THAT((*mooncake)[1].hash_ids, ElementsAre(1, 2));
  const auto azure = parse_trace(
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
      "2023-11-16 23:59:59.9000000,374,44\r\n2023-11-17 00:00:00.4000001,396,109\r\n");
  ASSERT_TRUE(azure.ok()) << azure.error().message;
  EXPECT_EQ((*azure)[1].at_ns, 500'000'100) << "over midnight";
  EXPECT_EQ((*azure)[1].output_tokens, 109);
  const auto burst = parse_trace(
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
      "5,ChatGPT,472,18,490,Conversation log\n7.25,GPT-4,1087,230,1317,API log\n");
  ASSERT_TRUE(burst.ok()) << burst.error().message;
  EXPECT_EQ((*burst)[1].at_ns, 2'250'000'000);
  EXPECT_EQ((*burst)[1].prompt_tokens, 1087);
}

TEST(TraceFile, NamesTheLineThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "empty"},
      {"a,b,c\n1,2,3\n", "line 1: expected a header"},
      {"TIMESTAMP,ContextTokens,GeneratedTokens\n", "no rows"},
      {"TIMESTAMP,ContextTokens,GeneratedTokens\nnoon,1,2\n", "line 2: expected a date"},
      {"TIMESTAMP,ContextTokens,GeneratedTokens\n1,2\n", "line 2: 2 cells"},
      {"TIMESTAMP,ContextTokens,GeneratedTokens\n1,-2,3\n", "line 2: expected token counts"},
      {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-13-01 00:00:00,1,2\n", "line 2"},
      {"{\"timestamp\":0,\"input_length\":1}\n", "line 1: expected token counts"},
      {"{\"input_length\":1,\"output_length\":1}\n", "line 1: expected a number 'timestamp'"},
      {"{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n{oops\n",
       "line 2: not valid JSON"},
  };
  for (const auto& [text, why] : cases) {
    const auto trace = parse_trace(text);
    ASSERT_FALSE(trace.ok()) << text;
    EXPECT_THAT(trace.error().message, HasSubstr(why)) << text;
  }
}

TEST(PromptFile, ShareGptAndLines) {
  const auto share = parse_prompt_file(R"([
    {"id":"a","conversations":[{"from":"human","value":"hi there"},{"from":"gpt","value":"one two three"}]},
    {"id":"b","conversations":[{"from":"gpt","value":"no question"}]},
    {"id":"c","conversations":[{"from":"system","value":"s"},{"from":"human","value":"q"}]}])");
  ASSERT_TRUE(share.ok()) << share.error().message;
  ASSERT_EQ(share->size(), 2U) << "an entry without a question is left out";
  EXPECT_EQ((*share)[0].messages[0]["content"], "hi there");
  EXPECT_EQ((*share)[0].answer_words, 3);
  EXPECT_EQ((*share)[1].messages[0]["role"], "system");
  const auto lines = parse_prompt_file(
      "{\"prompt\":\"p\",\"output_tokens\":7}\n"
      "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"max_tokens\":9,\"tools\":[]}\n");
  ASSERT_TRUE(lines.ok());
  EXPECT_EQ((*lines)[0].output_tokens, 7);
  EXPECT_EQ((*lines)[1].output_tokens, 9);
  EXPECT_TRUE((*lines)[1].extra.contains("tools"));
  EXPECT_THAT(parse_prompt_file("{\"x\":1}\n").error().message, HasSubstr("line 1: expected"));
  EXPECT_THAT(parse_prompt_file("[1]").error().message, HasSubstr("entry 1: expected an object"));
  EXPECT_THAT(parse_prompt_file("[]").error().message, HasSubstr("no prompt"));
  EXPECT_THAT(parse_prompt_file("").error().message, HasSubstr("no prompt"));
}

TEST(PromptShape, HasThePartsThatWereAsked) {
  PromptShape shape{.system_tokens = 5,
                    .history_turns = 2,
                    .history_turn_tokens = 6,
                    .documents = 3,
                    .document_tokens = 4,
                    .tools = 2,
                    .tool_tokens = 7,
                    .schema_tokens = 20};
  int next = 0;
  const auto words = [&](int count, int first) {
    EXPECT_EQ(first, next) << "no word is used twice";
    next += count;
    return std::string(static_cast<size_t>(count), 'w');
  };
  const ShapedPrompt prompt = shape_prompt(shape, true, words);
  EXPECT_EQ(prompt.words, 5 + 2 * 6 + 3 * 4 + 2 * 7 + 20);
  ASSERT_EQ(prompt.messages.size(), 5U);
  EXPECT_EQ(prompt.messages[0]["role"], "system");
  EXPECT_EQ(prompt.messages[2]["role"], "assistant");
  EXPECT_EQ(prompt.extra["tools"].size(), 2U);
  EXPECT_EQ(prompt.extra["response_format"]["type"], "json_schema");
  EXPECT_THAT(prompt.question_prefix, HasSubstr("Document 3: wwww"));
  next = 0;
  EXPECT_EQ(shape_prompt(shape, false, words).messages.size(), 4U)
      << "a template without system messages gets the text with the question";
}

TEST(WordText, IsAFunctionOfSeedAndStream) {
  const WordText text;
  EXPECT_EQ(text.text(1, 2, 10), text.text(1, 2, 10));
  EXPECT_NE(text.text(1, 2, 10), text.text(1, 3, 10));
  EXPECT_NE(text.text(1, 2, 10), text.text(2, 2, 10));
  EXPECT_EQ(text.text(1, 2, 10), text.text(1, 2, 4) + " " + text.text(1, 2, 6, 4))
      << "parts of a stream fit together";
  EXPECT_EQ(text.text(1, 2, 0), "");
  const std::set<std::string> different(common_words().begin(), common_words().end());
  EXPECT_EQ(different.size(), common_words().size());
  EXPECT_GE(different.size(), 256U);
}

TEST(PromptSource, ATracesBlocksAreSharedByTheirHashes) {
  LoadConfig config;
  config.endpoint = ApiEndpoint::kCompletions;
  config.workload.kind = WorkloadKind::kTrace;
  config.arrival.kind = ArrivalKind::kTrace;
  const std::string path = ::testing::TempDir() + "twostroke_trace_test.jsonl";
  ASSERT_NE(std::fclose(std::fopen(path.c_str(), "w")), EOF);
  {
    std::FILE* file = std::fopen(path.c_str(), "w");
    std::fputs(
        "{\"timestamp\":0,\"input_length\":600,\"output_length\":3,\"hash_ids\":[9,10]}\n"
        "{\"timestamp\":1,\"input_length\":700,\"output_length\":3,\"hash_ids\":[9,11]}\n",
        file);
    std::fclose(file);
  }
  config.workload.file = path;
  auto source = PromptSource::open(config);
  std::remove(path.c_str());
  ASSERT_TRUE(source.ok()) << source.error().message;
  source->use({}, "m");
  std::vector<std::string> prompts;
  for (int i = 0; i < 2; ++i) {
    prompts.push_back(json_string(*parse_json_text(source->make(i).body), "prompt"));
  }
  const size_t common = static_cast<size_t>(
      std::mismatch(prompts[0].begin(), prompts[0].end(), prompts[1].begin()).first -
      prompts[0].begin());
  const auto words =
      std::count(prompts[0].begin(), prompts[0].begin() + static_cast<std::ptrdiff_t>(common), ' ');
  EXPECT_EQ(words, kTraceBlockTokens);
  EXPECT_EQ(source->make(1).prompt_tokens, 700);
}

}  // namespace
}  // namespace twostroke

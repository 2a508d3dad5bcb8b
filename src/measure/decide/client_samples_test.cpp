// Result files of several shapes become the same numbers; what is neither is refused by line.
#include "measure/decide/client_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace twostroke {
namespace {

using ::testing::HasSubstr;

constexpr const char* kVllmRun =
    R"({"duration": 2.5, "input_lens": [10, 11, 12], "output_lens": [3, 1, 0],)"
    R"( "ttfts": [0.1, 0.2, 0.0], "itls": [[0.02, 0.03], [], []], "errors": ["", "", "timeout"]})";

void expect_is_the_vllm_run(const ArmRun& run) {
  ASSERT_EQ(run.requests.size(), 3u);
  EXPECT_EQ(run.duration_s, 2.5);
  EXPECT_NEAR(run.requests[0].ttft_ms, 100, 1e-9);
  EXPECT_NEAR(run.requests[0].tpot_ms, 25, 1e-9);
  EXPECT_NEAR(run.requests[0].e2el_ms, 150, 1e-9);
  EXPECT_EQ(run.requests[0].itl_ms.size(), 2u);
  EXPECT_EQ(run.requests[0].prompt_tokens, 10);
  EXPECT_TRUE(std::isnan(run.requests[1].tpot_ms));
  EXPECT_FALSE(run.requests[2].ok);
  EXPECT_TRUE(std::isinf(run.requests[2].ttft_ms));
}

TEST(ResultRuns, ReadsVllmsDetailedResults) {
  const auto one = parse_result_runs(kVllmRun).value();
  ASSERT_EQ(one.size(), 1u);
  expect_is_the_vllm_run(one[0]);
  // Appended results, a line each; and an array of them.
  const std::string line(kVllmRun);
  const auto two = parse_result_runs(line + "\n\n" + line + "\n").value();
  ASSERT_EQ(two.size(), 2u);
  expect_is_the_vllm_run(two[1]);
  EXPECT_EQ(parse_result_runs("[" + line + "," + line + "]").value().size(), 2u);
}

TEST(ResultRuns, ReadsLinesOfRequests) {
  const auto runs =
      parse_result_runs(
          R"({"ok":true,"ttft_ms":100,"tpot_ms":25,"e2el_ms":150,"output_tokens":3,"itl_ms":[20,30]})"
          "\n"
          R"({"ok":false,"error":"timeout","ttft_ms":null})"
          "\n"
          R"({"ttft_ms":10,"e2el_ms":30,"output_tokens":3,"tpot_ms":null})")
          .value();
  ASSERT_EQ(runs.size(), 1u);
  ASSERT_EQ(runs[0].requests.size(), 3u);
  EXPECT_EQ(runs[0].requests[0].tpot_ms, 25);
  EXPECT_EQ(runs[0].requests[0].itl_ms, (std::vector<double>{20, 30}));
  EXPECT_FALSE(runs[0].requests[1].ok);
  EXPECT_EQ(runs[0].requests[2].tpot_ms, 10);
}

TEST(ResultRuns, ReadsRecordsWithChunks) {
  const auto runs =
      parse_result_runs(
          R"({"duration":2,"requests":[{"error_kind":"","ttft_ms":50,"tpot_ms":10,"e2el_ms":80,)"
          R"("output_tokens":4,"text":"abc","chunk_at_ms":[50,60,80],"chunk_tokens":[1,1,2]},)"
          R"({"error_kind":"timeout","error":"idle","chunk_at_ms":[]}]})")
          .value();
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].duration_s, 2);
  ASSERT_EQ(runs[0].requests.size(), 2u);
  EXPECT_EQ(runs[0].requests[0].itl_ms, (std::vector<double>{10, 10, 10}));
  EXPECT_NE(runs[0].requests[0].text_hash, 0u);
  EXPECT_FALSE(runs[0].requests[1].ok);
}

TEST(ResultRuns, SaysWhatIsWrong) {
  const auto message = [](std::string_view text) {
    const auto runs = parse_result_runs(text);
    return runs.ok() ? std::string("ok") : runs.error().message;
  };
  EXPECT_THAT(message(""), HasSubstr("no run and no request"));
  EXPECT_THAT(message("{\"completed\": 3}"), HasSubstr("expected a run"));
  EXPECT_THAT(message("[1]"), HasSubstr("expected a run"));
  EXPECT_THAT(message("{\"ttft_ms\":1}\n{oops"), HasSubstr("line 2: not valid JSON"));
  EXPECT_THAT(message("{\"ttft_ms\":1}\n{\"x\":1}"), HasSubstr("line 2: expected a run"));
  EXPECT_THAT(message(std::string(100'000, '[')), HasSubstr("nested"));
  // Wrong types are absent, never a crash.
  EXPECT_EQ(parse_result_runs(R"({"ttfts":["a",null,{}],"itls":3,"errors":5})")
                .value()[0]
                .requests.size(),
            3u);
  EXPECT_THAT(read_result_runs("/nowhere/at/all.json").error().message, HasSubstr("/nowhere"));
}

TEST(Samples, OfARecordAreItsMetrics) {
  ClientRecord record;
  record.sent_ns = 0;
  record.first_token_ns = 100'000'000;
  record.last_token_ns = 150'000'000;
  record.done_ns = 151'000'000;
  record.output_tokens = 3;
  record.prompt_tokens = 9;
  record.text = "hello";
  record.chunks = {{.at_ns = 100'000'000}, {.at_ns = 120'000'000}, {.at_ns = 150'000'000}};
  const RequestSample sample = sample_of(record);
  EXPECT_NEAR(sample.ttft_ms, 100, 1e-9);
  EXPECT_NEAR(sample.tpot_ms, 25, 1e-9);
  EXPECT_EQ(sample.itl_ms.size(), 2u);
  EXPECT_NE(sample.text_hash, 0u);
  record.error_kind = ClientErrorKind::kTimeout;
  EXPECT_FALSE(sample_of(record).ok);
}

}  // namespace
}  // namespace twostroke

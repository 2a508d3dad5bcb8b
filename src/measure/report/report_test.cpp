// Goal: what is reported is what was recorded: files come back the same, failures take forever, a
// percentile that too few requests reach is marked, and a run that must not be believed says so.
// Method: records by hand, expectations by hand.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "measure/report/console_table.h"
#include "measure/report/metric_summary.h"
#include "measure/report/record_json.h"
#include "measure/report/result_files.h"

namespace twostroke {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMs = 1'000'000;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Sent at `sent_ms`, first token 100 ms later, then `gaps_ms` apart.
ClientRecord record_of(int index, int sent_ms, const std::vector<int>& gaps_ms) {
  ClientRecord record;
  record.index = index;
  record.scheduled_ns = record.released_ns = record.sent_ns = sent_ms * kMs;
  record.connected_ns = record.sent_ns + 1;
  record.first_byte_ns = record.sent_ns + 99 * kMs;
  int64_t at_ns = record.sent_ns + 100 * kMs;
  record.first_token_ns = record.first_answer_ns = at_ns;
  record.chunks.push_back({at_ns});
  for (const int gap : gaps_ms) record.chunks.push_back({at_ns += gap * kMs});
  record.last_token_ns = at_ns;
  record.done_ns = at_ns + 1;
  record.output_tokens = static_cast<int>(record.chunks.size());
  record.requested_output_tokens = record.output_tokens;
  record.prompt_tokens = record.planned_prompt_tokens = 50;
  record.cached_tokens = 0;
  record.has_usage = true;
  record.http_status = 200;
  record.finish_reason = "length";
  return record;
}

ClientRecord failed_of(int index, int sent_ms) {
  ClientRecord record;
  record.index = index;
  record.scheduled_ns = record.released_ns = record.sent_ns = sent_ms * kMs;
  record.done_ns = record.sent_ns + 5 * kMs;
  record.error_kind = ClientErrorKind::kRefused;
  record.error = "HTTP 429: \"full\", try later";
  record.http_status = 429;
  record.retry_after_s = 2;
  return record;
}

LoadResult result_of(std::vector<ClientRecord> records) {
  LoadResult result;
  result.records = std::move(records);
  int64_t last_ns = 0;
  for (const ClientRecord& record : result.records) last_ns = std::max(last_ns, record.done_ns);
  result.duration_ns = last_ns;
  result.server.model = "m";
  result.server.length_method = "tokenize";
  return result;
}

std::vector<std::string> names_of(const std::vector<RunCheck>& checks) {
  std::vector<std::string> names;
  for (const RunCheck& check : checks) {
    names.push_back(fmt::format("{} {}", check_level_name(check.level), check.name));
  }
  return names;
}

std::vector<std::string> checks_of(const LoadConfig& config, const LoadResult& result) {
  return names_of(check_run(config, result, summarize(result, config.slo)));
}

TEST(LoadSummary, CountsTokensAndTime) {
  LoadResult result = result_of({record_of(0, 0, {10, 30}), record_of(1, 100, {20, 20})});
  result.records[1].chunks[1].num_tokens = 3;
  result.records[1].output_tokens = 5;
  result.duration_ns = 500 * kMs;
  const LoadSummary summary = summarize(result, {.ttft_ms = 100, .tpot_ms = 15});
  EXPECT_EQ(summary.completed, 2);
  EXPECT_EQ(summary.input_tokens, 100);
  EXPECT_EQ(summary.output_tokens, 8);
  EXPECT_DOUBLE_EQ(summary.output_throughput, 16);
  EXPECT_DOUBLE_EQ(summary.request_throughput, 4);
  EXPECT_DOUBLE_EQ(summary.total_token_throughput, 216);
  EXPECT_EQ(summary.peak_in_flight, 2);
  EXPECT_DOUBLE_EQ(summary.tpot.mean, (20 + 10) / 2.0);
  // 10, 30 from the first; three of 20/3 and one of 20 from the second.
  EXPECT_EQ(summary.itl.count, 6);
  EXPECT_DOUBLE_EQ(summary.itl.mean, (10 + 30 + 20 + 20) / 6.0);
  EXPECT_EQ(summary.icl.count, 4);
  EXPECT_EQ(summary.good, 1) << "the first has a TPOT of 20";
  EXPECT_DOUBLE_EQ(summary.goodput, 2);
}

TEST(LoadSummary, AFailureTakesForever) {
  std::vector<ClientRecord> records;
  for (int i = 0; i < 97; ++i) records.push_back(record_of(i, i, {10}));
  for (int i = 97; i < 100; ++i) records.push_back(failed_of(i, i));
  const LoadSummary summary = summarize(result_of(records), {.ttft_ms = 1000});
  EXPECT_EQ(summary.failed, 3);
  EXPECT_DOUBLE_EQ(summary.ttft.median, 100);
  EXPECT_DOUBLE_EQ(summary.ttft.percentile(0.95), 100);
  EXPECT_EQ(summary.ttft.percentile(0.99), kInfinity) << "more than one in a hundred failed";
  EXPECT_DOUBLE_EQ(summary.ttft.mean, 100) << "the mean is over those that were answered";
  EXPECT_EQ(summary.good, 97) << "a failure misses the SLO";
  EXPECT_THAT(summary.failures, ElementsAre(std::pair<std::string, int>("refused", 3)));
}

// 299 requests make a finite 95 % interval for p99, 298 do not (measuring.md).
TEST(MetricSummary, AnIntervalOrAMark) {
  for (const auto& [count, has] : {std::pair(299, true), std::pair(298, false)}) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i) values.push_back(i);
    const MetricSummary metric = summarize_requests("ttft", values, {0.5, 0.99});
    EXPECT_TRUE(metric.percentiles[0].interval.has_value());
    EXPECT_EQ(metric.percentiles[1].interval.has_value(), has) << count;
  }
}

// A request's tokens are alike: an interval that took them for independent would be far too narrow.
TEST(MetricSummary, TokensOfOneRequestAreNotIndependent) {
  std::vector<std::vector<double>> by_request;
  for (int i = 0; i < 40; ++i) by_request.emplace_back(500, i < 20 ? 10.0 + i * 0.01 : 30.0);
  const MetricSummary metric = summarize_tokens("itl", by_request, {0.5, 0.99});
  EXPECT_EQ(metric.count, 20'000);
  ASSERT_TRUE(metric.percentiles[0].interval.has_value());
  EXPECT_LT(metric.percentiles[0].interval->low, 10.2);
  EXPECT_DOUBLE_EQ(metric.percentiles[0].interval->high, 30)
      << "half the requests are slow: the median may be either";
  EXPECT_FALSE(metric.percentiles[1].interval.has_value()) << "40 requests do not reach p99";
}

TEST(Interference, ByTheServersTags) {
  ClientRecord record = record_of(0, 0, {10, 50, 10});
  record.chunks[1].prefill_tokens = 0;
  record.chunks[2].prefill_tokens = 128;
  record.chunks[3].prefill_tokens = 0;
  const InterferenceSummary summary = interference_of({record});
  EXPECT_TRUE(summary.told_by_server);
  EXPECT_DOUBLE_EQ(summary.alone_ms, 10);
  EXPECT_DOUBLE_EQ(summary.beside_prefill_ms, 50);
  EXPECT_DOUBLE_EQ(summary.factor, 5);
}

TEST(Interference, ByWhoWasWaiting) {
  // The first decodes at 100, 110, 120, 180, 190; the second waits for its token from 115 to 215.
  const InterferenceSummary summary =
      interference_of({record_of(0, 0, {10, 10, 60, 10}), record_of(1, 115, {10})});
  EXPECT_FALSE(summary.told_by_server);
  EXPECT_EQ(summary.num_alone, 2) << "100-110, and the second's own";
  EXPECT_EQ(summary.num_beside_prefill, 3);
  EXPECT_DOUBLE_EQ(summary.beside_prefill_ms, (10 + 60 + 10) / 3.0);
  EXPECT_DOUBLE_EQ(summary.worst_ms, 60);
}

TEST(RunChecks, AGoodRunHasNothingToSay) {
  EXPECT_THAT(checks_of({}, result_of({record_of(0, 0, {10}), record_of(1, 120, {10})})),
              ElementsAre());
}

TEST(RunChecks, SaysWhatIsWrong) {
  const auto good = [] { return result_of({record_of(0, 0, {10}), record_of(1, 120, {10})}); };
  LoadConfig config;
  LoadResult late = good();
  late.records[0].sent_ns += 20 * kMs;
  late.records[1].sent_ns += 20 * kMs;
  EXPECT_THAT(checks_of(config, late), ElementsAre("invalid client_lag"));
  LoadResult blind = good();
  blind.client.loop_lag_p99_ms = 11;
  EXPECT_THAT(checks_of(config, blind), ElementsAre("invalid client_lag"));
  LoadResult early = good();
  early.records[0].requested_output_tokens = 20;
  EXPECT_THAT(checks_of(config, early), ElementsAre("invalid output_length"));
  config.ignore_eos = false;
  EXPECT_THAT(checks_of(config, early), ElementsAre()) << "it was allowed to";
  LoadResult warm = good();
  warm.records[0].cached_tokens = 32;
  EXPECT_THAT(checks_of(config, warm), ElementsAre("warning cache"));
  config.workload.cache = CacheMode::kShared;
  EXPECT_THAT(checks_of(config, warm), ElementsAre());
  LoadResult longer = good();
  longer.records[0].prompt_tokens = 60;
  EXPECT_THAT(checks_of(config, longer), ElementsAre("warning prompt_length"));
  LoadResult whole = good();
  whole.records[0].streamed = false;
  EXPECT_THAT(checks_of(config, whole), ElementsAre("warning streaming"));
  LoadResult spread = good();
  spread.records[0].token_source = TokenSource::kSpread;
  EXPECT_THAT(checks_of(config, spread), ElementsAre("warning chunks"));
  LoadResult failed = good();
  failed.records.push_back(failed_of(2, 10));
  EXPECT_THAT(checks_of(config, failed), ElementsAre("warning failures"));
  EXPECT_THAT(checks_of(config, result_of({failed_of(0, 0)})), ElementsAre("invalid failures"));
  config.arrival.concurrency = 4;
  EXPECT_THAT(checks_of(config, good()), ElementsAre("note burst"));
}

TEST(RunChecks, AnOpenLoopThatTheServerCannotFollow) {
  LoadConfig config;
  config.arrival.kind = ArrivalKind::kOpenLoop;
  std::vector<ClientRecord> records;
  for (int i = 0; i < 20; ++i) records.push_back(record_of(i, 10 * i, {10}));
  LoadResult result = result_of(records);
  EXPECT_THAT(checks_of(config, result), ElementsAre());
  result.duration_ns = 5000 * kMs;
  EXPECT_THAT(checks_of(config, result), ElementsAre("warning overload"));
}

// A folder of its own that is gone afterwards.
class ResultFiles : public ::testing::Test {
 protected:
  ResultFiles() {
    char name[] = "/tmp/twostroke_result_XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ResultFiles() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(ResultFiles, ComeBackTheSame) {
  LoadResult result = result_of({record_of(0, 3, {10, 7}), failed_of(1, 4)});
  result.records[0].chunks[1] = {result.records[0].chunks[1].at_ns + 123, 3, 64};
  result.records[0].timings.queue_ms = 1.5;
  result.records[0].label = "victim";
  result.client = {1.25, 2.5, 0.125};
  const LoadConfig config;
  const LoadSummary summary = summarize(result, {});
  const std::vector<RunCheck> checks = check_run(config, result, summary);
  const RunReport report{config, result, summary, checks, {"20261125-000000", "", "0"}};
  const std::string json = folder_ + "/a.json";
  const std::string lines = folder_ + "/a.jsonl";
  ASSERT_TRUE(write_text_file(json, json_line(result_json(report, true))).ok());
  ASSERT_TRUE(write_text_file(lines, records_jsonl(result.records)).ok());
  for (const std::string& path : {json, lines}) {
    const auto read = read_result(path);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(records_jsonl(read->records), records_jsonl(result.records));
    EXPECT_EQ(read->records[0].chunks[1].at_ns, result.records[0].chunks[1].at_ns);
    EXPECT_EQ(read->records[0].chunks[1].prefill_tokens, 64);
    EXPECT_EQ(read->records[1].error_kind, ClientErrorKind::kRefused);
  }
  EXPECT_EQ(read_result(json)->duration_ns, result.duration_ns);
  EXPECT_EQ(read_result(json)->server.model, "m");
}

TEST_F(ResultFiles, BadOnesAreNamed) {
  const std::string path = folder_ + "/bad.json";
  ASSERT_TRUE(write_text_file(path, "{\"requests\":[{\"index\":0}]}").ok());
  EXPECT_THAT(read_result(path).error().message, HasSubstr("bad.json: request 0: not a request"));
  ASSERT_TRUE(write_text_file(path, "{}\nnonsense\n").ok());
  EXPECT_THAT(read_result(path).error().message, HasSubstr("bad.json:2: expected a result"));
  EXPECT_THAT(read_result(folder_ + "/none").error().message, HasSubstr("none"));
  EXPECT_THAT(write_text_file(folder_, "x").error().message, HasSubstr("cannot write"));
}

TEST(ResultJson, HasTheKeysOfVllm) {
  const LoadResult result = result_of({record_of(0, 0, {10, 10}), failed_of(1, 4)});
  LoadConfig config;
  config.slo.ttft_ms = 500;
  config.http.api_key = "secret";
  const LoadSummary summary = summarize(result, config.slo, {0.5, 0.99});
  const std::vector<RunCheck> checks;
  const Json json = result_json({config, result, summary, checks, {"d", "l", "v"}}, true);
  for (const char* key : {"date",
                          "endpoint_type",
                          "backend",
                          "label",
                          "model_id",
                          "tokenizer_id",
                          "num_prompts",
                          "request_rate",
                          "burstiness",
                          "max_concurrency",
                          "duration",
                          "completed",
                          "failed",
                          "total_input_tokens",
                          "total_output_tokens",
                          "request_throughput",
                          "request_goodput",
                          "output_throughput",
                          "total_token_throughput",
                          "max_output_tokens_per_s",
                          "max_concurrent_requests",
                          "rtfx",
                          "mean_ttft_ms",
                          "median_ttft_ms",
                          "std_ttft_ms",
                          "p99_ttft_ms",
                          "mean_tpot_ms",
                          "median_itl_ms",
                          "p99_e2el_ms",
                          "input_lens",
                          "output_lens",
                          "ttfts",
                          "itls",
                          "start_times",
                          "generated_texts",
                          "errors"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["request_rate"], "inf") << "a closed loop";
  EXPECT_EQ(json["num_prompts"], 2);
  EXPECT_DOUBLE_EQ(json["ttfts"][0].get<double>(), 0.1) << "seconds";
  EXPECT_DOUBLE_EQ(json["ttfts"][1].get<double>(), 0) << "vLLM writes zero for a failure";
  EXPECT_TRUE(json["p99_ttft_ms"].is_null()) << "JSON has no infinity";
  EXPECT_THAT(json_line(json), Not(HasSubstr("secret")));
  EXPECT_EQ(json["twostroke"]["schema_version"], 1);
}

TEST(RecordsCsv, OneRowARequestAndQuotes) {
  const std::string csv = records_csv({record_of(0, 0, {10}), failed_of(1, 4)});
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  EXPECT_THAT(csv, HasSubstr(",refused,\"HTTP 429: \"\"full\"\", try later\"\n"));
  EXPECT_THAT(csv, HasSubstr(",inf,inf,"));
}

TEST(ConsoleTable, IsVllmsLayout) {
  const LoadResult result = result_of({record_of(0, 0, {10, 30}), failed_of(1, 4)});
  const LoadConfig config;
  const LoadSummary summary = summarize(result, {}, {0.5, 0.99});
  const std::vector<RunCheck> checks = check_run(config, result, summary);
  const std::string text = console_table({config, result, summary, checks, {}}, false);
  EXPECT_THAT(text, HasSubstr("============ Serving Benchmark Result ============\n"
                              "Successful requests:                     1         \n"
                              "Failed requests:                         1         \n"));
  EXPECT_THAT(text, HasSubstr("---------------Time to First Token----------------\n"
                              "Mean TTFT (ms):                          100.00    \n"));
  EXPECT_THAT(text, HasSubstr("-----Time per Output Token (excl. 1st token)------\n"));
  EXPECT_THAT(text, HasSubstr("---------------Inter-token Latency----------------\n"));
  EXPECT_THAT(text, HasSubstr("----------------End-to-end Latency----------------\n"));
  EXPECT_THAT(text, HasSubstr("P99 TTFT (ms):                           inf        *\n"));
  EXPECT_THAT(text, HasSubstr("tpot = (last token chunk - first token chunk)"));
  EXPECT_THAT(text, Not(HasSubstr("\033[")));
  EXPECT_THAT(console_table({config, result, summary, checks, {}}, true), HasSubstr("\033[33m"));
}

}  // namespace
}  // namespace twostroke

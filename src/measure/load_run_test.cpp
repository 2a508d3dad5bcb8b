// Goal: load sends what it was asked to, when it was asked to, and its times are the server's own.
// Method: a scripted server that stamps what it receives and sends; times are compared with those
// stamps, never with the script, so that a busy machine changes nothing.
#include "measure/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "measure/fake_openai_script.h"

namespace twostroke {
namespace {

using ::testing::HasSubstr;

// What a loopback and two busy threads may add; the best of several requests is compared.
constexpr double kBestOverheadMs = 20;

LoadConfig small_config(const ScriptedServer& server) {
  LoadConfig config;
  config.server = server.url();
  config.num_requests = 6;
  config.workload.prompt_tokens = 40;
  config.workload.output_tokens = 5;
  config.seed = 7;
  return config;
}

// The generation requests of the measured part, in order of arrival.
std::vector<ScriptedExchange> measured(const ScriptedServer& server, size_t count) {
  std::vector<ScriptedExchange> all = server.exchanges("/completions");
  CHECK_GE(all.size(), count);
  return {all.end() - static_cast<std::ptrdiff_t>(count), all.end()};
}

LoadResult must_run(const LoadConfig& config, const LoadHooks& hooks = {}) {
  auto result = run_load(config, hooks);
  CHECK(result.ok());
  return std::move(*result);
}

double stamp_ms(int64_t from_ns, int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e6;
}

TEST(LoadRun, TimesAreTheServersOwn) {
  ScriptedServer server(FakeOpenAi{.ttft_ms = 30, .itl_ms = 5});
  const LoadResult result = must_run(small_config(server));
  ASSERT_EQ(result.records.size(), 6U);
  const auto exchanges = measured(server, 6);
  double best_ttft = 1e9;
  double best_decode = 1e9;
  for (size_t i = 0; i < 6; ++i) {
    const ClientRecord& record = result.records[i];
    ASSERT_TRUE(record.ok()) << record.error;
    const auto& sent = exchanges[i].sent_ns;  // head, then five tokens
    ASSERT_EQ(sent.size(), 6U);
    const double ttft = metrics_of(record).ttft_ms - stamp_ms(exchanges[i].received_ns, sent[1]);
    EXPECT_GT(ttft, 0) << "before the token was sent";
    best_ttft = std::min(best_ttft, ttft);
    const double decode = stamp_ms(record.first_token_ns, record.last_token_ns);
    best_decode = std::min(best_decode, std::abs(decode - stamp_ms(sent[1], sent[5])));
    EXPECT_EQ(record.chunks.size(), 5U) << "the role chunk is none";
    EXPECT_EQ(record.output_tokens, 5);
  }
  EXPECT_LT(best_ttft, kBestOverheadMs);
  EXPECT_LT(best_decode, kBestOverheadMs);
}

TEST(LoadRun, PromptsHaveTheLengthThatWasAsked) {
  for (const bool has_tokenize : {true, false}) {
    ScriptedServer server(FakeOpenAi{.has_tokenize = has_tokenize, .template_tokens = 11});
    LoadConfig config = small_config(server);
    config.workload.range_ratio = 0.5;
    const LoadResult result = must_run(config);
    EXPECT_EQ(result.server.length_method, has_tokenize ? "tokenize" : "usage");
    EXPECT_EQ(result.server.model, "fake");
    std::set<int> lengths;
    for (const ClientRecord& record : result.records) {
      EXPECT_EQ(record.prompt_tokens, record.planned_prompt_tokens);
      EXPECT_EQ(record.output_tokens, record.requested_output_tokens);
      EXPECT_GE(record.prompt_tokens, 20);
      EXPECT_LE(record.prompt_tokens, 60);
      lengths.insert(record.prompt_tokens);
    }
    EXPECT_GT(lengths.size(), 1U);
  }
}

TEST(LoadRun, WithoutUsageLengthsAreAssumedAndSaidToBe) {
  ScriptedServer server(
      FakeOpenAi{.continuous_usage = false, .has_tokenize = false, .has_usage = false});
  const LoadResult result = must_run(small_config(server));
  EXPECT_EQ(result.server.length_method, "assumed");
  EXPECT_EQ(result.records[0].output_tokens, 5) << "counted by chunks";
  EXPECT_FALSE(result.records[0].has_usage);
}

TEST(LoadRun, ColdPromptsShareNothingAndTheSeedDecides) {
  ScriptedServer first(FakeOpenAi{});
  ScriptedServer second(FakeOpenAi{});
  LoadConfig config = small_config(first);
  config.warmup_requests = 2;
  must_run(config);
  config.server = second.url();
  must_run(config);
  std::set<std::string> beginnings;
  const auto all = first.exchanges("/completions");
  for (const ScriptedExchange& exchange : all) {
    beginnings.insert(prompt_of(exchange.request.body).substr(0, 20));
  }
  EXPECT_EQ(beginnings.size(), all.size()) << "warm-up and probes too";
  const auto again = second.exchanges("/completions");
  ASSERT_EQ(again.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(again[i].request.body, all[i].request.body) << "same seed, same bytes";
  }
  config.seed = 8;
  must_run(config);
  EXPECT_NE(prompt_of(measured(second, 1)[0].request.body),
            prompt_of(measured(first, 1)[0].request.body));
}

TEST(LoadRun, ASharedPrefixIsShared) {
  ScriptedServer server(FakeOpenAi{});
  LoadConfig config = small_config(server);
  config.endpoint = ApiEndpoint::kCompletions;
  config.workload.cache = CacheMode::kShared;
  config.workload.shared_prefix_tokens = 20;
  must_run(config);
  std::set<std::string> prefixes;
  std::set<std::string> prompts;
  for (const ScriptedExchange& exchange : measured(server, 6)) {
    const std::string prompt = prompt_of(exchange.request.body);
    size_t end = 0;
    for (int i = 0; i < 20; ++i) end = prompt.find(' ', end) + 1;
    prefixes.insert(prompt.substr(0, end));
    prompts.insert(prompt);
  }
  EXPECT_EQ(prefixes.size(), 1U);
  EXPECT_EQ(prompts.size(), 6U);
}

// vllm#54101: a limit on requests in flight made the wait in the client invisible.
TEST(LoadRun, WaitingInTheClientIsSeen) {
  ScriptedServer server(FakeOpenAi{.ttft_ms = 20, .itl_ms = 1});
  LoadConfig config = small_config(server);
  config.arrival = {.kind = ArrivalKind::kOpenLoop,
                    .rate_per_s = std::numeric_limits<double>::infinity(),
                    .max_in_flight = 1};
  const LoadResult result = must_run(config);
  double busy_ms = 0;
  for (const ClientRecord& record : result.records) {
    const ClientMetrics metrics = metrics_of(record);
    EXPECT_EQ(record.scheduled_ns, 0) << "all were due at once";
    EXPECT_GE(metrics.client_queue_ms, busy_ms) << "one after another";
    EXPECT_NEAR(metrics.e2el_from_schedule_ms, metrics.client_queue_ms + metrics.e2el_ms, 1e-6);
    EXPECT_LE(record.released_ns, record.sent_ns);
    busy_ms += metrics.e2el_ms;
  }
}

TEST(LoadRun, AnOpenLoopDoesNotWaitForTheServer) {
  ScriptedServer server(FakeOpenAi{.ttft_ms = 300});
  LoadConfig config = small_config(server);
  config.arrival = {.kind = ArrivalKind::kOpenLoop, .rate_per_s = 100};
  config.warmup_requests = 0;
  const LoadResult result = must_run(config);
  const auto exchanges = measured(server, 6);
  EXPECT_LT(exchanges[5].received_ns, exchanges[0].sent_ns[1])
      << "the last question was there before the first answer";
  EXPECT_NEAR(static_cast<double>(result.records[5].scheduled_ns), 60e6, 1)
      << "six at a hundred a second";
}

TEST(LoadRun, AClosedLoopKeepsItsUsersBusyAndNoMore) {
  ScriptedServer server(FakeOpenAi{.ttft_ms = 10});
  LoadConfig config = small_config(server);
  config.arrival.concurrency = 3;
  config.num_requests = 12;
  const LoadResult result = must_run(config);
  ASSERT_EQ(result.records.size(), 12U);
  for (const ClientRecord& record : result.records) {
    int in_flight = 0;
    for (const ClientRecord& other : result.records) {
      in_flight += other.sent_ns <= record.sent_ns && record.sent_ns < other.done_ns ? 1 : 0;
    }
    EXPECT_LE(in_flight, 3);
  }
}

TEST(LoadRun, AServerThatDiesFailsWhatIsLeft) {
  ScriptedServer server(FakeOpenAi{.ttft_ms = 20});
  LoadConfig config = small_config(server);
  config.num_requests = 20;
  LoadProgress progress;
  std::thread killer([&] {
    while (progress.completed < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server.stop();
  });
  const LoadResult result = must_run(config, {.progress = &progress});
  killer.join();
  ASSERT_EQ(result.records.size(), 20U);
  int failed = 0;
  for (const ClientRecord& record : result.records) failed += record.ok() ? 0 : 1;
  EXPECT_GE(failed, 10);
  EXPECT_EQ(result.records.back().error_kind, ClientErrorKind::kConnect);
  EXPECT_THAT(result.records.back().error, HasSubstr("cannot connect"));
  EXPECT_EQ(progress.failed, failed);
  EXPECT_EQ(progress.waiting, 0);
  EXPECT_EQ(progress.decoding, 0);
}

TEST(LoadRun, ARefusedRequestComesBackWhenToldTo) {
  const FakeOpenAi fake{.ttft_ms = 1, .itl_ms = 0};
  std::atomic<int> refusals{0};
  ScriptedServer server([&](const ScriptedRequest& request) -> std::vector<ScriptedStep> {
    const bool is_measured = json_int(request.body, "max_tokens", 0) == 5;
    if (!is_measured || refusals > 0) return fake(request);
    ++refusals;
    return {{.bytes = whole_reply(429, R"({"error":{"message":"full"}})", "Retry-After: 0\r\n")}};
  });
  LoadConfig config = small_config(server);
  config.retries = 1;
  config.warmup_requests = 0;
  const LoadResult patient = must_run(config);
  int attempts = 0;
  for (const ClientRecord& record : patient.records) {
    EXPECT_TRUE(record.ok()) << record.error;
    attempts += record.attempts;
  }
  EXPECT_EQ(attempts, 7);
  refusals = 0;
  config.retries = 0;
  int refused = 0;
  for (const ClientRecord& record : must_run(config).records) {
    refused += record.error_kind == ClientErrorKind::kRefused ? 1 : 0;
  }
  EXPECT_EQ(refused, 1) << "without being asked to, it does not hide a refusal";
}

TEST(LoadRun, CanBeStopped) {
  ScriptedServer server(FakeOpenAi{.ttft_ms = 20, .itl_ms = 50});
  LoadConfig config = small_config(server);
  config.workload.output_tokens = 10'000;
  config.warmup_requests = 0;
  config.arrival.concurrency = 2;
  LoadProgress progress;
  std::atomic<bool> stop{false};
  std::thread stopper([&] {
    while (progress.output_tokens < 4) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop = true;
  });
  const LoadResult result = must_run(config, {.progress = &progress, .stop = &stop});
  stopper.join();
  EXPECT_TRUE(result.stopped);
  ASSERT_EQ(result.records.size(), 2U);
  size_t chunks = 0;
  for (const ClientRecord& record : result.records) {
    EXPECT_EQ(record.error_kind, ClientErrorKind::kCancelled);
    chunks += record.chunks.size();
  }
  EXPECT_GE(chunks, 4U) << "what came before is kept";
}

TEST(LoadRun, SaysWhyThereIsNothingToMeasure) {
  ScriptedServer no_models([](const ScriptedRequest&) {
    return std::vector<ScriptedStep>{
        {.bytes = whole_reply(401, R"({"error":{"message":"bad key"}})")}};
  });
  LoadConfig config = small_config(no_models);
  EXPECT_THAT(run_load(config).error().message, HasSubstr("HTTP 401: bad key"));
  config.model = "named";
  EXPECT_THAT(run_load(config).error().message, HasSubstr("HTTP 401: bad key"));
  config.arrival.concurrency = 0;
  EXPECT_EQ(run_load(config).error().field, "concurrency");
  no_models.stop();
  config.arrival.concurrency = 1;
  EXPECT_THAT(run_load(config).error().message, HasSubstr("cannot connect"));
}

}  // namespace
}  // namespace twostroke

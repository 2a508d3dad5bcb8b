// Goal: /metrics says what happened. Method: known requests through a fake engine, the text read
// line by line; the tables against docs/metrics.md.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "server/metric_writer.h"
#include "server/metrics_text.h"
#include "server/server_fixture.h"

namespace twostroke {
namespace {

class MetricsTest : public ServerFixture {
 protected:
  std::map<std::string, double> samples(const std::string& query = "") {
    RawHttpClient client(port());
    EXPECT_TRUE(client.get("/metrics" + query));
    const auto response = client.response();
    EXPECT_TRUE(response.has_value());
    if (!response) return {};
    EXPECT_EQ(response->status, 200);
    EXPECT_NE(response->head.find("text/plain; version=0.0.4"), std::string::npos);
    std::map<std::string, double> found;
    std::istringstream lines(response->body);
    const std::string common = R"(model_name="fake",engine="0")";
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("#")) continue;
      const size_t space = line.rfind(' ');
      std::string name = line.substr(0, space);
      const size_t open = name.find('{');
      const size_t close = name.find("engine=\"0\"");
      EXPECT_NE(close, std::string::npos) << line;
      std::string rest = name.substr(close + 10);
      if (rest.starts_with(",")) rest.erase(0, 1);
      name = name.substr(0, open) + (rest == "}" ? "" : "{" + rest);
      EXPECT_TRUE(found.emplace(name, std::stod(line.substr(space + 1))).second) << line;
    }
    return found;
  }
  // One that is over when this returns.
  void complete(int max_tokens) {
    RawHttpClient client(port());
    EXPECT_TRUE(client.post("/v1/completions", completion(max_tokens)));
    EXPECT_TRUE(client.response().has_value());
  }
  // A reply is counted when its last byte was handed over, which its reader may see before.
  std::map<std::string, double> samples_after(double num_requests) {
    for (int i = 0; i < 6000; ++i) {
      auto found = samples();
      if (found["twostroke_request_seconds_count"] == num_requests) return found;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return samples();
  }
};

TEST_F(MetricsTest, CountsEachRequestOnce) {
  start();
  complete(3);
  complete(1);
  auto found = samples_after(2);
  EXPECT_EQ(found["twostroke_request_seconds_count"], 2);
  EXPECT_EQ(found["twostroke_time_to_first_token_seconds_count"], 2);
  EXPECT_EQ(found["twostroke_time_per_output_token_seconds_count"], 1) << "of two tokens or more";
  EXPECT_EQ(found["twostroke_request_output_tokens_sum"], 4);
  EXPECT_EQ(found["twostroke_requests_ended_total{end=\"complete\"}"], 2);
  EXPECT_EQ(found["twostroke_requests_finished_total{finish_reason=\"length\"}"], 2);
  EXPECT_EQ(found["vllm:request_success_total{finished_reason=\"length\"}"], 2);
  EXPECT_EQ(found["vllm:e2e_request_latency_seconds_sum"], found["twostroke_request_seconds_sum"]);
}

TEST_F(MetricsTest, CausesSumToTheLivesOfTheRequests) {
  start();
  for (int i = 1; i <= 5; ++i) complete(i);
  auto found = samples_after(5);
  double causes = 0;
  for (const auto& [name, value] : found) {
    if (name.starts_with("twostroke_cause_seconds_total{")) causes += value;
  }
  EXPECT_GT(causes, 0);
  EXPECT_NEAR(causes, found["twostroke_request_seconds_sum"], 1e-9) << "but for decimals";
}

TEST_F(MetricsTest, AClientThatWentAwayIsCountedAsThat) {
  engine_.set_step(std::chrono::seconds(3600));
  start();
  {
    RawHttpClient client(port());
    client.post("/v1/completions", stream_of(2));
    EXPECT_TRUE(client.read_until(R"("text":"a")"));
  }
  EXPECT_TRUE(wait_for_cancelled(1));
  auto found = samples_after(1);
  EXPECT_EQ(found["twostroke_requests_ended_total{end=\"disconnect\"}"], 1);
  EXPECT_EQ(found["vllm:request_success_total{finished_reason=\"abort\"}"], 1);
}

TEST_F(MetricsTest, HistogramsAreCumulativeAndOwnNamesCanStandAlone) {
  start();
  complete(2);
  auto found = samples_after(1);
  EXPECT_EQ(found["twostroke_request_seconds_bucket{le=\"+Inf\"}"], 1);
  EXPECT_EQ(found["twostroke_request_output_tokens_bucket{le=\"1\"}"], 0);
  EXPECT_EQ(found["twostroke_request_output_tokens_bucket{le=\"2\"}"], 1);
  EXPECT_EQ(found["twostroke_request_output_tokens_bucket{le=\"5\"}"], 1);
  for (const auto& [name, value] : samples("?names=twostroke")) {
    EXPECT_TRUE(name.starts_with("twostroke_")) << name;
  }
  RawHttpClient client(port());
  client.get("/metrics?names=others");
  const auto refused = client.response();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 400);
  EXPECT_EQ(OrderedJson::parse(refused->body)["error"]["param"], "names");
}

TEST(MetricsText, EveryNameHasARowInItsDocument) {
  std::ifstream file("docs/metrics.md");
  ASSERT_TRUE(file.is_open()) << "run from the project's folder, as ctest does";
  std::stringstream text;
  text << file.rdbuf();
  size_t num_rows = 0;
  for (const auto families : {own_metrics(), vllm_metrics()}) {
    for (const MetricFamily& it : families) {
      const std::string row = "| `" + std::string(it.name) + "` | " + std::string(it.type) + " | " +
                              std::string(it.help) + " |\n";
      EXPECT_NE(text.str().find(row), std::string::npos) << row;
      ++num_rows;
    }
  }
  size_t num_documented = 0;
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);) num_documented += line.starts_with("| `");
  EXPECT_EQ(num_documented, num_rows);
}

TEST(MetricsText, LabelsAreEscaped) {
  EXPECT_EQ(escape_label("a\"b\\c\nd"), R"(a\"b\\c\nd)");
}

}  // namespace
}  // namespace twostroke

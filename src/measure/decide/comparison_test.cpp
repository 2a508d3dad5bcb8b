// A comparison from blocks of a known truth to words, JSON and page: what is said must be what is
// so, and hostile names must stay text.
#include "measure/decide/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "measure/decide/block_plan.h"
#include "measure/decide/comparison_html.h"
#include "measure/decide/comparison_json.h"
#include "measure/decide/comparison_text.h"

namespace twostroke {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Truth {
  double ttft_ms = 500;
  double tpot_ms = 20;
};

ArmRun run_of(const Truth& truth, uint64_t load_seed, uint64_t noise_seed) {
  std::mt19937_64 load(load_seed);
  std::mt19937_64 noise(noise_seed);
  std::normal_distribution<double> jitter(0, 0.02);
  ArmRun run;
  for (int i = 0; i < 30; ++i) {
    RequestSample request;
    request.output_tokens = 2 + static_cast<int64_t>(load() % 199);
    request.prompt_tokens = 256;
    request.cached_tokens = 0;
    request.ttft_ms = truth.ttft_ms * std::exp(jitter(noise));
    request.tpot_ms = truth.tpot_ms * std::exp(jitter(noise));
    const auto gaps = static_cast<size_t>(request.output_tokens - 1);
    request.itl_ms.assign(gaps, request.tpot_ms);
    request.e2el_ms = request.ttft_ms + request.tpot_ms * static_cast<double>(gaps);
    run.requests.push_back(std::move(request));
  }
  run.duration_s = 60;
  return run;
}

std::vector<Block> blocks_of(const Truth& a, const Truth& b, int count) {
  std::vector<Block> blocks;
  for (const PlannedBlock& planned : plan_blocks(count, 4)) {
    Block block;
    block.a_first = planned.a_first;
    block.seed = planned.load_seed;
    block.a = run_of(a, planned.load_seed, planned.load_seed + 1);
    block.b = run_of(b, planned.load_seed, planned.load_seed + 2);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

// Every opened tag is closed, in order; void elements and the doctype aside.
void expect_balanced(const std::string& html) {
  const std::set<std::string> kVoid = {"meta", "br", "!doctype"};
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    std::string tag = html.substr(at + 1, end - at - 1);
    const bool closes_itself = tag.ends_with('/');
    const bool closes = tag.starts_with('/');
    tag = tag.substr(closes ? 1 : 0, tag.find_first_of(" /\n", closes ? 1 : 0) - (closes ? 1 : 0));
    if (closes_itself || kVoid.contains(tag)) continue;
    if (!closes) {
      open.push_back(tag);
      continue;
    }
    ASSERT_FALSE(open.empty()) << tag;
    ASSERT_EQ(open.back(), tag) << html.substr(at, 80);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST(BlockPlan, IsFixedByItsSeedAndMixesTheOrder) {
  const std::vector<PlannedBlock> plan = plan_blocks(200, 1);
  int a_first = 0;
  std::set<uint64_t> seeds;
  for (const PlannedBlock& block : plan) {
    a_first += block.a_first ? 1 : 0;
    seeds.insert(block.load_seed);
    EXPECT_LT(block.load_seed, uint64_t{1} << 53);
  }
  EXPECT_GT(a_first, 70);
  EXPECT_LT(a_first, 130);
  EXPECT_EQ(seeds.size(), 200u);
  EXPECT_EQ(plan_blocks(3, 1)[2].load_seed, plan[2].load_seed);
  EXPECT_NE(plan_blocks(3, 2)[2].load_seed, plan[2].load_seed);
}

TEST(ComparisonTest, ATradeOffIsExplainedByItsBreakEvenLength) {
  const std::vector<Block> blocks = blocks_of({500, 20}, {300, 22}, 10);
  ComparisonRules rules;
  rules.slo = {.ttft_ms = 400, .tpot_ms = 25};
  const Comparison c = compare_blocks(blocks, blocks_of({500, 20}, {500, 20}, 6), rules);
  EXPECT_EQ(c.decision.joint, JointVerdict::kTradeOff);
  EXPECT_NEAR(std::exp(c.decision.ttft.effect.mean), 0.6, 0.02);
  EXPECT_NEAR(std::exp(c.decision.tpot.effect.mean), 1.1, 0.02);
  ASSERT_TRUE(c.even && c.even->exists && c.even->bounded);
  EXPECT_TRUE(c.even->interval.contains(101)) << c.even->tokens;
  EXPECT_TRUE(c.even->b_wins_below);
  EXPECT_NEAR(c.even->share_below, 0.5, 0.1);
  ASSERT_TRUE(c.goodput);
  EXPECT_EQ(c.goodput->attainment_a, 0);
  EXPECT_EQ(c.goodput->attainment_b, 1);
  ASSERT_TRUE(c.ttft_calibration && c.tpot_calibration);
  const std::string words = comparison_paragraph(c);
  EXPECT_THAT(words, HasSubstr("The time until an answer begins is shorter with B by 4"));
  EXPECT_THAT(words, HasSubstr("The time per further token of the answer is longer with B by "));
  EXPECT_THAT(words, HasSubstr("B is done first; for longer ones, A"));
  EXPECT_THAT(words, HasSubstr("0.0 % with A and 100.0 % with B keep the limits"));
  EXPECT_THAT(comparison_console(c), HasSubstr("B is a trade-off"));
}

TEST(ComparisonTest, ABreakEvenLengthThatNobodyMeasuredIsCalledExtrapolated) {
  // Equal at 1 + 400 / 1 tokens; the longest answer has 200.
  const Comparison c = compare_blocks(blocks_of({500, 20}, {100, 21}, 10), {}, {});
  ASSERT_EQ(c.decision.joint, JointVerdict::kTradeOff);
  EXPECT_THAT(comparison_console(c), HasSubstr("extrapolated"));
}

TEST(ComparisonTest, ValuesOfTheTableHaveExactlyTheRatioOfTheInterval) {
  const Comparison c = compare_blocks(blocks_of({500, 20}, {300, 22}, 8), {}, {});
  EXPECT_EQ(c.metrics.size(), static_cast<size_t>(kNumMetrics));
  for (const MetricRow& row : c.metrics) {
    EXPECT_NEAR(std::log(row.b / row.a), row.effect.mean, 1e-12);
    EXPECT_TRUE(row.effect.interval.contains(row.effect.mean));
  }
  EXPECT_TRUE(c.metrics[0].is_primary && c.metrics[1].is_primary && !c.metrics[2].is_primary);
}

TEST(ComparisonTest, OneRunOfEachGivesDifferencesButNoVerdict) {
  const Comparison c = compare_blocks(blocks_of({500, 20}, {300, 20}, 1), {}, {});
  EXPECT_EQ(c.decision.joint, JointVerdict::kUndetermined);
  ASSERT_FALSE(c.notes.empty());
  EXPECT_THAT(c.notes[0], HasSubstr("--run-noise"));
  EXPECT_FALSE(c.metrics.empty());
  const nlohmann::ordered_json json = comparison_json(c);
  EXPECT_TRUE(json["ttft"]["interval"][0].get<double>() == -1 ||
              json["ttft"]["interval"][0].is_null());
  EXPECT_TRUE(json["ttft"]["interval"][1].is_null());
  EXPECT_TRUE(json["ttft"]["detectable"].is_null());
  expect_balanced(comparison_html(c, "now"));
}

TEST(ComparisonTest, AFailureInEveryRunLeavesNothingToCompare) {
  std::vector<Block> blocks = blocks_of({500, 20}, {300, 22}, 8);
  for (Block& block : blocks) {
    for (RequestSample& request : block.b.requests) {
      request.ok = false;
      request.ttft_ms = request.tpot_ms = request.e2el_ms = std::numeric_limits<double>::infinity();
      request.itl_ms.clear();
    }
  }
  const Comparison c = compare_blocks(blocks, {}, {});
  EXPECT_EQ(c.decision.joint, JointVerdict::kUndetermined);
  EXPECT_EQ(c.num_failed, 240);
  EXPECT_FALSE(c.decision.ttft.measured);
  EXPECT_THAT(comparison_console(c), HasSubstr("240 of 480 requests failed"));
  expect_balanced(comparison_html(c, "now"));
}

TEST(ComparisonTest, JsonHasWhatTheConsoleSays) {
  ComparisonRules rules;
  rules.slo.ttft_ms = 400;
  const Comparison c = compare_blocks(blocks_of({500, 20}, {300, 22}, 8), {}, rules);
  const nlohmann::ordered_json json = comparison_json(c);
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["verdict"], "trade-off");
  EXPECT_EQ(json["ttft"]["verdict"], "FASTER");
  EXPECT_EQ(json["tpot"]["verdict"], "SLOWER");
  EXPECT_NEAR(json["ttft"]["difference"].get<double>(), -0.4, 0.02);
  EXPECT_EQ(json["ttft"]["log_ratios"].size(), 8u);
  EXPECT_EQ(json["break_even"]["faster_below"], "B");
  EXPECT_EQ(json["goodput"]["limits"]["ttft_ms"], 400);
  EXPECT_TRUE(json["goodput"]["limits"]["tpot_ms"].is_null());
  EXPECT_EQ(json["slo_map"]["winner"].size(), static_cast<size_t>(kSloMapSide));
  EXPECT_TRUE(json["calibration"]["ttft"].is_null());
  EXPECT_TRUE(json["metrics"]["tpot_mean_ms"]["primary"].get<bool>());
}

TEST(ComparisonTest, ThePageIsWholeAndNamesStayText) {
  Comparison c = compare_blocks(blocks_of({500, 20}, {300, 22}, 8), {}, {});
  c.name_a = "http://a/?x=<script>alert('1')</script>&y=\"2\"";
  c.notes.emplace_back("a <b> & c");
  const std::string html = comparison_html(c, "2026-01-01 · twostroke");
  expect_balanced(html);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("src=")));
  EXPECT_THAT(html, Not(HasSubstr("href=")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;1&#39;)"));
  EXPECT_THAT(html, HasSubstr("a &lt;b&gt; &amp; c"));
  size_t plots = 0;
  for (size_t at = html.find("<svg"); at != std::string::npos; at = html.find("<svg", at + 1)) {
    ++plots;
  }
  EXPECT_EQ(plots, 5u);
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(ComparisonTest, TextsCachesAndBadCalibrationAreNoted) {
  std::vector<Block> blocks = blocks_of({500, 20}, {500, 20}, 8);
  for (Block& block : blocks) {
    for (size_t i = 0; i < block.a.requests.size(); ++i) {
      block.a.requests[i].text_hash = i + 1;
      block.b.requests[i].text_hash = i == 0 ? 99 : i + 1;
      block.b.requests[i].cached_tokens = 128;
    }
  }
  const Comparison c = compare_blocks(blocks, blocks_of({500, 20}, {400, 20}, 6), {});
  EXPECT_EQ(c.texts.compared, 240);
  EXPECT_EQ(c.texts.equal, 232);
  const std::string all = comparison_console(c);
  EXPECT_THAT(all, HasSubstr("8 of 240 answers differ in text"));
  EXPECT_THAT(all, HasSubstr("A 0.0 %, B 50.0 %"));
  EXPECT_THAT(all, HasSubstr("A against A differed as well"));
  EXPECT_EQ(c.decision.joint, JointVerdict::kEquivalent);
  EXPECT_THAT(comparison_paragraph(c), HasSubstr("Choose by something other than speed."));
}

}  // namespace
}  // namespace twostroke

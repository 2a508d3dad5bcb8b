// Verdicts on ledgers that are made by hand: each cause of a slow request must come out on top, a
// healthy request must not be blamed on anything, and whatever the ledger, gains are within what
// was booked and ranked.
#include "phases/explain.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace twostroke {
namespace {

constexpr int64_t kMs = 1'000'000;

// A request with 40 prompt tokens and 50 output tokens on an idle machine.
ExplainInput healthy() {
  ExplainInput input;
  const auto set = [&](Cause cause, int64_t ms) {
    input.causes_ns[static_cast<size_t>(cause)] = ms * kMs;
  };
  set(Cause::kParse, 1);
  set(Cause::kTokenize, 1);
  set(Cause::kPrefillOwn, 60);
  set(Cause::kDecodeOwn, 500);
  set(Cause::kSample, 5);
  set(Cause::kClient, 1);
  input.num_prompt_tokens = 40;
  input.num_output_tokens = 51;
  input.prefill_percent_of_peak = 60;
  input.decode_percent_of_bandwidth = 80;
  input.intervals = {.intake_ns = 2 * kMs,
                     .queue_ns = 0,
                     .prefill_ns = 60 * kMs,
                     .decode_ns = 505 * kMs,
                     .delivery_ns = kMs,
                     .ttft_ns = 62 * kMs,
                     .tpot_ns = 10.1e6};
  return input;
}

// Adds time under one cause, to the interval it belongs to.
void slow_down(ExplainInput& input, Cause cause, int64_t ms) {
  input.causes_ns[static_cast<size_t>(cause)] += ms * kMs;
  if (cause <= Cause::kPrefillOthers) {
    input.intervals.ttft_ns += ms * kMs;
  } else if (cause == Cause::kClient) {
    input.intervals.delivery_ns += ms * kMs;
  } else {
    input.intervals.decode_ns += ms * kMs;
  }
}

void add_span(ExplainInput& input, const std::string& source, const std::string& role, int tokens,
              int64_t ms) {
  PromptSpan span;
  span.source = source;
  span.role = role;
  span.first_token = input.num_prompt_tokens;
  span.num_tokens = tokens;
  input.spans.push_back(span);
  input.costs.push_back({.cached_tokens = 0, .computed_tokens = tokens, .prefill_ns = ms * kMs});
  input.num_prompt_tokens += tokens;
  slow_down(input, Cause::kPrefillOwn, ms);
}

std::string top(const ExplainInput& input, ExplainTargets targets = {}) {
  const Verdict verdict = explain(input, targets);
  return verdict.findings.empty() ? "none"
                                  : std::string(lever_name(verdict.findings.front().lever));
}

TEST(Explain, AHealthyRequestIsNotBlamedOnAnything) {
  const Verdict verdict = explain(healthy());
  EXPECT_TRUE(verdict.findings.empty());
  EXPECT_NE(verdict.headline.find("nothing stands out"), std::string::npos);
  EXPECT_NE(verdict.decode_limit.find("80 %"), std::string::npos);
  EXPECT_NE(verdict.decode_limit.find("8.0 ms a token"), std::string::npos);  // 10 ms at 80 %
  EXPECT_NE(verdict.prefill_limit.find("60 %"), std::string::npos);
}

TEST(Explain, EachCauseOfWaitingAndDisturbance) {
  const std::vector<std::pair<Cause, const char*>> expected = {
      {Cause::kWaitTurn, "queueing"},        {Cause::kWaitBatch, "batch_limit"},
      {Cause::kWaitKv, "kv_pressure"},       {Cause::kPreempted, "kv_pressure"},
      {Cause::kWaitModel, "cold_start"},     {Cause::kPrefillOthers, "prefill_batching"},
      {Cause::kTemplate, "intake"},          {Cause::kDecodePrefill, "interference"},
      {Cause::kDecodeBatch, "decode_batch"}, {Cause::kSample, "sampling"},
      {Cause::kClient, "slow_client"}};
  for (const auto& [cause, lever] : expected) {
    ExplainInput input = healthy();
    slow_down(input, cause, 900);
    EXPECT_EQ(top(input), lever) << cause_name(cause);
  }
}

TEST(Explain, EachPartOfAPrompt) {
  const auto with = [](const char* source, const char* role) {
    ExplainInput input = healthy();
    add_span(input, "system", "system", 20, 10);
    add_span(input, source, role, 900, 700);
    add_span(input, "message[9]", "user", 30, 20);
    return top(input);
  };
  EXPECT_EQ(with("message[2]", "assistant"), "history");
  EXPECT_EQ(with("document[0]", ""), "documents");
  EXPECT_EQ(with("schema", ""), "schema");
  EXPECT_EQ(with("tools", ""), "tools");
  EXPECT_EQ(with("message[3]", "tool"), "tool_traces");
  EXPECT_EQ(with("system", "system"), "system");
  EXPECT_EQ(with("message[9]", "user"), "last_message");
  EXPECT_EQ(with("template", ""), "none");  // nothing to pull
}

TEST(Explain, AShortPartIsNoLeverHoweverSlowTheMachine) {
  ExplainInput input = healthy();
  add_span(input, "message[0]", "user", 60, 800);
  add_span(input, "message[1]", "user", 20, 100);
  EXPECT_EQ(top(input), "none");
}

TEST(Explain, PartsAreSummedAndRankedByWhatTheyCost) {
  ExplainInput input = healthy();
  for (int i = 0; i < 5; ++i) {
    add_span(input, "document[" + std::to_string(i) + "]", "", 100, 90);
  }
  add_span(input, "message[0]", "user", 300, 250);
  add_span(input, "message[1]", "user", 10, 5);
  const Verdict verdict = explain(input);
  ASSERT_GE(verdict.findings.size(), 2U);
  EXPECT_EQ(verdict.findings[0].lever, Lever::kDocuments);
  EXPECT_EQ(verdict.findings[0].gain_ns, 450 * kMs);
  EXPECT_EQ(verdict.findings[0].spans.size(), 5U);
  EXPECT_EQ(verdict.findings[1].lever, Lever::kHistory);
}

TEST(Explain, ABrokenCacheIsNotCountedTwice) {
  ExplainInput input = healthy();
  add_span(input, "system", "system", 1000, 800);
  add_span(input, "message[1]", "user", 10, 10);
  input.cache.reason = "diverged";
  input.cache.tokens = 980;
  input.cache.span_ns = {780 * kMs, 0};
  const Verdict verdict = explain(input);
  ASSERT_EQ(verdict.findings.size(), 1U);
  EXPECT_EQ(verdict.findings[0].lever, Lever::kCacheBreak);
  EXPECT_EQ(verdict.findings[0].gain_ns, 780 * kMs);
}

TEST(Explain, AModelThatIsTooBigForTheBandwidth) {
  ExplainInput input = healthy();
  EXPECT_EQ(top(input, {.ttft_ms = 1e6, .tpot_ms = 5}), "bandwidth");
  EXPECT_EQ(top(input, {.ttft_ms = 1e6, .tpot_ms = 50}), "none");
  input.decode_percent_of_bandwidth = 10;  // 1 ms a token would be possible
  EXPECT_EQ(top(input, {.ttft_ms = 1e6, .tpot_ms = 5}), "busy_machine");
  EXPECT_EQ(top(input, {.ttft_ms = 10, .tpot_ms = 50}), "compute");
}

TEST(Explain, EveryFindingSaysHowItIsKnownAndGainsNoMoreThanWasBooked) {
  std::mt19937 random(5);
  const auto up_to = [&](int max) { return std::uniform_int_distribution<int>(0, max)(random); };
  for (int round = 0; round < 300; ++round) {
    ExplainInput input;
    for (int i = 0; i < kNumCauses; ++i) {
      if (up_to(2) == 0) slow_down(input, static_cast<Cause>(i), up_to(500));
    }
    for (int i = up_to(5); i > 0; --i) add_span(input, "document[0]", "", up_to(400), up_to(300));
    input.num_output_tokens = up_to(3);
    input.intervals.tpot_ns = up_to(1) * 1e7;
    input.decode_percent_of_bandwidth = up_to(100);
    int64_t total = 0;
    for (const int64_t ns : input.causes_ns) total += ns;
    const Verdict verdict = explain(input);
    int64_t previous = total;
    std::set<Lever> levers;
    for (const Finding& finding : verdict.findings) {
      EXPECT_GT(finding.gain_ns, 0);
      EXPECT_LE(finding.gain_ns, previous);
      previous = finding.gain_ns;
      EXPECT_FALSE(finding.known_by.empty());
      EXPECT_FALSE(finding.advice.empty());
      EXPECT_TRUE(levers.insert(finding.lever).second);
      EXPECT_NE(verdict_text(verdict).find(std::string(lever_name(finding.lever))),
                std::string::npos);
    }
    EXPECT_FALSE(verdict_text(verdict).empty());
  }
}

TEST(Explain, ARequestThatEndedBeforeItBegan) {
  const Verdict verdict = explain({});
  EXPECT_TRUE(verdict.findings.empty());
  EXPECT_NE(verdict.headline.find("TTFT 0 ms"), std::string::npos);
}

}  // namespace
}  // namespace twostroke

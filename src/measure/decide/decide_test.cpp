// Verdicts on synthetic servers whose truth is known: the rate of false alarms, of false
// equivalence, and of differences found as predicted; the break-even length, goodput and SLO map
// against what the formulas say. Seeds are fixed.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "measure/decide/break_even.h"
#include "measure/decide/goodput.h"
#include "measure/decide/samples.h"
#include "measure/decide/verdict.h"
#include "measure/statistics/distributions.h"
#include "measure/statistics/power.h"

namespace twostroke {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void expect_rate_at_most(int hits, int trials, double rate) {
  EXPECT_GT(1 - binomial_cdf(hits - 1, trials, rate), 1e-4) << hits << " of " << trials;
}
void expect_rate_at_least(int hits, int trials, double rate) {
  EXPECT_GT(binomial_cdf(hits, trials, rate), 1e-4) << hits << " of " << trials;
}

// A server on a machine whose speed wanders: AR(1) of rho .9, standard deviation 3 %; every run
// adds 1 % of its own. Both phases feel the same machine.
class Machine {
 public:
  explicit Machine(uint64_t seed) : random_(seed) {}
  double next_state() {
    state_ = 0.9 * state_ + std::sqrt(1 - 0.81) * 0.03 * normal_(random_);
    return state_;
  }
  double noise(double sd) { return sd * normal_(random_); }
  bool coin() { return (random_() & 1) != 0; }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_{0, 1};
  double state_ = 0;
};

struct LogRatios {
  std::vector<double> ttft;
  std::vector<double> tpot;
};

// Truth: B is exp(ttft_effect) and exp(tpot_effect) times A.
LogRatios interleaved(Machine& machine, int blocks, double ttft_effect, double tpot_effect) {
  LogRatios ratios;
  for (int i = 0; i < blocks; ++i) {
    const bool a_first = machine.coin();
    const double first = machine.next_state();
    const double second = machine.next_state();
    const double between = a_first ? second - first : first - second;
    ratios.ttft.push_back(ttft_effect + between + machine.noise(0.01) - machine.noise(0.01));
    ratios.tpot.push_back(tpot_effect + between + machine.noise(0.01) - machine.noise(0.01));
  }
  return ratios;
}

bool is_claim(PhaseVerdict verdict) {
  return verdict == PhaseVerdict::kFaster || verdict == PhaseVerdict::kSlower;
}

TEST(Verdict, AnyFalseAlarmInEitherPhaseIsRarerThanAlpha) {
  for (const int blocks : {7, 10, 20}) {
    int alarms = 0;
    const int trials = blocks > 18 ? 400 : 2000;
    for (int trial = 0; trial < trials; ++trial) {
      Machine machine(static_cast<uint64_t>(trial * 1000 + blocks));
      const LogRatios ratios = interleaved(machine, blocks, 0, 0);
      const Decision decision = decide(ratios.ttft, ratios.tpot, {});
      alarms += is_claim(decision.ttft.verdict) || is_claim(decision.tpot.verdict) ? 1 : 0;
    }
    expect_rate_at_most(alarms, trials, 0.05);
  }
}

TEST(Verdict, EquivalenceIsRarelyClaimedForADifferenceAsLargeAsTheMargin) {
  const double margin = std::log1p(0.02);
  int wrong = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Machine machine(static_cast<uint64_t>(trial));
    const LogRatios ratios = interleaved(machine, 30, margin, -margin);
    DecisionRules rules;
    rules.seed = static_cast<uint64_t>(trial);
    // Intervals alone decide: the first eighteen blocks keep the test exact and fast.
    const std::span<const double> ttft = std::span(ratios.ttft).first(18);
    const std::span<const double> tpot = std::span(ratios.tpot).first(18);
    const Decision decision = decide(ttft, tpot, rules);
    wrong += decision.ttft.verdict == PhaseVerdict::kEquivalent ||
                     decision.tpot.verdict == PhaseVerdict::kEquivalent
                 ? 1
                 : 0;
  }
  expect_rate_at_most(wrong, kTrials, 0.05);
}

TEST(Verdict, FindsADifferenceAsOftenAsPredicted) {
  // The other phase differs too, and more: Holm then tests this one at alpha itself; alone it would
  // be alpha / 2. The prediction counts on the stricter level.
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal(0, 0.02);
  constexpr int kBlocks = 12;
  constexpr int kTrials = 1000;
  const double effect = detectable_effect(kBlocks, 0.025, 0.8) * 0.02;
  int found = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> ttft(kBlocks);
    std::vector<double> tpot(kBlocks);
    for (double& d : ttft) d = -effect + normal(random);
    for (double& d : tpot) d = normal(random);
    DecisionRules rules;
    rules.margin = 0.001;
    const Decision decision = decide(ttft, tpot, rules);
    found += decision.ttft.verdict == PhaseVerdict::kFaster ? 1 : 0;
    EXPECT_NE(decision.ttft.verdict, PhaseVerdict::kSlower);
  }
  expect_rate_at_least(found, kTrials, 0.78);
  expect_rate_at_most(found, kTrials, 0.84);
}

TEST(Verdict, SaysEachWordWhereItBelongs) {
  const auto around = [](double centre, double spread) {
    std::vector<double> ratios;
    for (int i = 0; i < 10; ++i) ratios.push_back(centre + (i % 2 == 0 ? spread : -spread));
    return ratios;
  };
  const DecisionRules rules;
  const Decision trade = decide(around(-0.2, 0.01), around(0.1, 0.01), rules);
  EXPECT_EQ(trade.ttft.verdict, PhaseVerdict::kFaster);
  EXPECT_EQ(trade.tpot.verdict, PhaseVerdict::kSlower);
  EXPECT_EQ(trade.joint, JointVerdict::kTradeOff);
  EXPECT_FALSE(trade.ttft.maybe_negligible);
  const Decision same = decide(around(0.001, 0.004), around(0, 0.004), rules);
  EXPECT_EQ(same.joint, JointVerdict::kEquivalent);
  // Certain, and certain not to matter.
  const Decision tiny = decide(around(0.01, 0.001), around(0.01, 0.001), rules);
  EXPECT_EQ(tiny.ttft.verdict, PhaseVerdict::kEquivalent);
  const Decision slight = decide(around(0.025, 0.015), around(0, 0.004), rules);
  EXPECT_EQ(slight.ttft.verdict, PhaseVerdict::kSlower);
  EXPECT_TRUE(slight.ttft.maybe_negligible);
  EXPECT_EQ(slight.joint, JointVerdict::kDominated);
  const Decision noisy = decide(around(0.01, 0.2), around(-0.2, 0.01), rules);
  EXPECT_EQ(noisy.ttft.verdict, PhaseVerdict::kInconclusive);
  EXPECT_GT(plan_for(noisy.ttft, rules).blocks_wanted, 10);
  EXPECT_EQ(plan_for(noisy.tpot, rules).blocks_wanted, 0);
  EXPECT_EQ(noisy.joint, JointVerdict::kUndetermined);
}

TEST(Verdict, FewBlocksNeverClaimADifference) {
  for (int blocks = 1; blocks < 7; ++blocks) {
    const std::vector<double> ttft(static_cast<size_t>(blocks), -0.5);
    std::vector<double> tpot = ttft;
    const Decision decision = decide(ttft, tpot, {});
    EXPECT_EQ(decision.joint, JointVerdict::kUndetermined) << blocks;
  }
  const std::vector<double> seven = {-.5, -.51, -.49, -.5, -.52, -.48, -.5};
  EXPECT_EQ(decide(seven, seven, {}).joint, JointVerdict::kDominates);
}

TEST(Verdict, OnePairOfRunsNeedsAKnownNoise) {
  const std::vector<double> ttft = {-0.3};
  const std::vector<double> tpot = {0.001};
  EXPECT_EQ(decide(ttft, tpot, {}).joint, JointVerdict::kUndetermined);
  DecisionRules rules;
  rules.run_noise = 0.003;
  const Decision decision = decide(ttft, tpot, rules);
  EXPECT_EQ(decision.ttft.verdict, PhaseVerdict::kFaster);
  EXPECT_EQ(decision.tpot.verdict, PhaseVerdict::kEquivalent);
  EXPECT_EQ(decision.joint, JointVerdict::kDominates);
}

TEST(Verdict, WithoutOnePhaseTheOtherIsStillJudged) {
  const std::vector<double> ttft = {-.5, -.51, -.49, -.5, -.52, -.48, -.5};
  const Decision decision = decide(ttft, {}, {});
  EXPECT_TRUE(decision.ttft.measured);
  EXPECT_FALSE(decision.tpot.measured);
  EXPECT_EQ(decision.ttft.verdict, PhaseVerdict::kFaster);
  EXPECT_EQ(decision.ttft.adjusted_p, decision.ttft.test.p_value);
  EXPECT_EQ(decision.joint, JointVerdict::kUndetermined);
}

TEST(JointVerdict, IsTheWholeTable) {
  using enum PhaseVerdict;
  const PhaseVerdict all[] = {kFaster, kSlower, kEquivalent, kInconclusive};
  for (const PhaseVerdict a : all) {
    for (const PhaseVerdict b : all) {
      const JointVerdict joint = joint_verdict(a, b);
      EXPECT_EQ(joint, joint_verdict(b, a));
      const std::set<PhaseVerdict> both = {a, b};
      if (both.contains(kInconclusive)) {
        EXPECT_EQ(joint, JointVerdict::kUndetermined);
      } else if (both == std::set<PhaseVerdict>{kFaster, kSlower}) {
        EXPECT_EQ(joint, JointVerdict::kTradeOff);
      } else if (both.contains(kFaster)) {
        EXPECT_EQ(joint, JointVerdict::kDominates);
      } else if (both.contains(kSlower)) {
        EXPECT_EQ(joint, JointVerdict::kDominated);
      } else {
        EXPECT_EQ(joint, JointVerdict::kEquivalent);
      }
    }
  }
}

TEST(Calibrations, KnowsTheNoiseAndWhatItHides) {
  Machine machine(3);
  const LogRatios ratios = interleaved(machine, 18, 0, 0);
  const NoiseCalibration calibration = calibrate_noise(ratios.ttft, 10, {});
  EXPECT_EQ(calibration.num_blocks, 18);
  EXPECT_GT(calibration.p_value, 0.05);
  EXPECT_NEAR(std::log1p(calibration.detectable),
              detectable_effect(10, 0.025) * calibration.standard_deviation, 1e-12);
  // With so many blocks a difference as large as the margin is what is just detectable.
  EXPECT_NEAR(
      detectable_effect(calibration.blocks_for_margin, 0.025) * calibration.standard_deviation,
      std::log1p(0.02), 0.002);
}

std::vector<double> spread_around(double mean, double sd, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(mean, sd);
  std::vector<double> values(count);
  for (double& value : values) value = normal(random);
  return values;
}

TEST(BreakEvenLength, IsWhereBothTakeEquallyLong) {
  // A: 500 + (N - 1) 20, B: 300 + (N - 1) 21.4: equal at N = 1 + 200 / 1.4.
  const std::vector<double> a_ttft(8, 500), b_ttft(8, 300), a_tpot(8, 20), b_tpot(8, 21.4);
  std::vector<int64_t> lengths;
  for (int64_t n = 1; n <= 200; ++n) lengths.push_back(n);
  const BreakEven even = break_even(a_ttft, b_ttft, a_tpot, b_tpot, lengths);
  ASSERT_TRUE(even.exists && even.bounded);
  EXPECT_NEAR(even.tokens, 1 + 200 / 1.4, 1e-9);
  EXPECT_TRUE(even.b_wins_below);
  EXPECT_DOUBLE_EQ(even.share_below, 143.0 / 200);  // 1 … 143 are below 143.86
  EXPECT_NEAR(even.interval.low, even.tokens, 1e-6);
  const BreakEven mirrored = break_even(b_ttft, a_ttft, b_tpot, a_tpot, lengths);
  EXPECT_NEAR(mirrored.tokens, even.tokens, 1e-9);
  EXPECT_FALSE(mirrored.b_wins_below);
}

TEST(BreakEvenLength, ItsIntervalCoversTheTruth) {
  int covered = 0;
  constexpr int kTrials = 1000;
  for (uint64_t trial = 0; trial < kTrials; ++trial) {
    const BreakEven even = break_even(
        spread_around(500, 20, 10, 4 * trial), spread_around(300, 20, 10, 4 * trial + 1),
        spread_around(20, .3, 10, 4 * trial + 2), spread_around(21.4, .3, 10, 4 * trial + 3), {});
    ASSERT_TRUE(even.exists);
    covered += even.bounded && even.interval.contains(1 + 200 / 1.4) ? 1 : 0;
  }
  expect_rate_at_least(covered, kTrials, 0.93);
  expect_rate_at_most(covered, kTrials, 0.97);
}

TEST(BreakEvenLength, IsAbsentWhenOneSideAlwaysWinsAndUnboundedWhenTheDataCannotTell) {
  const std::vector<double> low(8, 10), high(8, 20);
  EXPECT_FALSE(break_even(high, low, high, low, {}).exists);
  EXPECT_FALSE(break_even(low, low, low, low, {}).exists);
  const BreakEven vague =
      break_even(std::vector<double>{500, 510, 490}, std::vector<double>(3, 300),
                 std::vector<double>{20, 21, 19}, std::vector<double>{20.2, 19.3, 20.9}, {});
  EXPECT_TRUE(vague.exists);
  EXPECT_FALSE(vague.bounded);
}

RequestSample request_of(double ttft_ms, double tpot_ms, int64_t tokens) {
  RequestSample request;
  request.ttft_ms = ttft_ms;
  request.tpot_ms = tpot_ms;
  request.output_tokens = tokens;
  request.e2el_ms = ttft_ms + (std::isnan(tpot_ms) ? 0 : tpot_ms * static_cast<double>(tokens - 1));
  return request;
}

TEST(RunStatistic, KnowsFailuresAndSingleTokens) {
  ArmRun run;
  run.duration_s = 2;
  run.requests = {request_of(10, 5, 3), request_of(20, kNaN, 1), request_of(30, 7, 3)};
  run.requests[0].itl_ms = {4, 6};
  run.requests[2].itl_ms = {7, 7};
  EXPECT_EQ(run_statistic(run, Metric::kTtftP50), 20);
  EXPECT_EQ(run_statistic(run, Metric::kTpotMean), 6);
  EXPECT_EQ(run_statistic(run, Metric::kWorstStall), 7);
  EXPECT_EQ(run_statistic(run, Metric::kOutputTokensPerS), 3.5);
  RequestSample failed;
  failed.ok = false;
  failed.ttft_ms = failed.tpot_ms = failed.e2el_ms = kInfinity;
  run.requests.push_back(failed);
  EXPECT_EQ(run_statistic(run, Metric::kTtftP50), 25);
  EXPECT_EQ(run_statistic(run, Metric::kTtftP95), kInfinity);
  EXPECT_EQ(run_statistic(run, Metric::kTpotMean), kInfinity);
  EXPECT_EQ(count_failed(run), 1);
  EXPECT_TRUE(std::isnan(run_statistic(ArmRun{}, Metric::kTtftP50)));
  Block block;
  block.a = run;
  block.b = run;
  EXPECT_EQ(log_ratios(std::span(&block, 1), Metric::kTtftP50), std::vector<double>{0});
  EXPECT_TRUE(log_ratios(std::span(&block, 1), Metric::kTtftP95).empty());
}

// A reads prompts slowly and writes fast, B the other way round.
std::vector<Block> trading_blocks() {
  std::vector<Block> blocks(8);
  for (size_t i = 0; i < blocks.size(); ++i) {
    std::mt19937_64 random(i);
    std::normal_distribution<double> jitter(0, 0.05);
    for (int k = 0; k < 40; ++k) {
      const double mood = std::exp(jitter(random));
      blocks[i].a.requests.push_back(request_of(500 * mood, 20 * mood, 50));
      blocks[i].b.requests.push_back(request_of(250 * mood, 30 * mood, 50));
    }
    blocks[i].a.duration_s = blocks[i].b.duration_s = 10;
  }
  return blocks;
}

TEST(Goodputs, CountsRequestsThatKeepEveryLimit) {
  const std::vector<Block> blocks = trading_blocks();
  const Goodput first = compare_goodput(blocks, {.ttft_ms = 350, .tpot_ms = 50}, 1);
  EXPECT_EQ(first.attainment_a, 0);
  EXPECT_EQ(first.attainment_b, 1);
  EXPECT_EQ(first.requests_per_s_b, 4);
  EXPECT_EQ(first.p_value, 2.0 / 256);
  const Goodput second = compare_goodput(blocks, {.ttft_ms = 900, .tpot_ms = 25}, 1);
  EXPECT_EQ(second.attainment_b, 0);
  EXPECT_GT(second.attainment_a, 0.99);
  RequestSample failed;
  failed.ok = false;
  EXPECT_FALSE(keeps(failed, {}));
  EXPECT_TRUE(keeps(request_of(10, kNaN, 1), {.tpot_ms = 0.001}));
}

TEST(SloMaps, ShowWhereEachSideIsBetter) {
  const SloMap map = slo_map(trading_blocks());
  ASSERT_EQ(map.cells.size(), static_cast<size_t>(kSloMapSide * kSloMapSide));
  std::set<SloWinner> winners;
  for (size_t row = 0; row < map.ttft_limits_ms.size(); ++row) {
    for (size_t column = 0; column < map.tpot_limits_ms.size(); ++column) {
      const SloCell& cell = map.at(row, column);
      winners.insert(cell.winner);
      // Looser limits never lose requests.
      if (row > 0) {
        EXPECT_GE(cell.attainment_a, map.at(row - 1, column).attainment_a - 1e-12);
      }
      if (column > 0) {
        EXPECT_GE(cell.attainment_b, map.at(row, column - 1).attainment_b - 1e-12);
      }
      EXPECT_TRUE(cell.difference.low - 1e-12 <= cell.attainment_b - cell.attainment_a &&
                  cell.attainment_b - cell.attainment_a <= cell.difference.high + 1e-12);
    }
  }
  EXPECT_EQ(winners.size(), 3u);
  // A tight TTFT limit that only B keeps; a tight TPOT limit that only A keeps.
  EXPECT_EQ(map.at(4, kSloMapSide - 1).winner, SloWinner::kB);
  EXPECT_EQ(map.at(kSloMapSide - 1, 4).winner, SloWinner::kA);
  EXPECT_TRUE(slo_map(std::vector<Block>(1)).cells.empty());
  EXPECT_TRUE(slo_map(std::vector<Block>(3)).cells.empty());
}

}  // namespace
}  // namespace twostroke

// The search finds the capacity of a server whose capacity is known, and says so when it cannot.
#include "measure/decide/capacity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace twostroke {
namespace {

// Keeps limits for everybody up to its capacity, for nearly nobody beyond.
struct SharpServer {
  double capacity = 10;
  int64_t requests = 400;
  Result<AttainmentCount> operator()(double rate) const {
    return AttainmentCount{rate <= capacity ? requests : requests / 10, requests};
  }
};

TEST(CapacitySearch, BracketsTheTruth) {
  for (const double truth : {0.03, 0.9, 1.0, 7.3, 640.0}) {
    SharpServer server{.capacity = truth};
    CapacityRules rules;
    rules.max_runs = 30;
    const Capacity capacity = find_capacity(server, rules).value();
    EXPECT_TRUE(capacity.is_resolved) << truth;
    EXPECT_LE(capacity.highest_met_per_s, truth);
    EXPECT_GT(capacity.lowest_missed_per_s, truth);
    EXPECT_LE(capacity.lowest_missed_per_s / capacity.highest_met_per_s, 1.1);
  }
}

TEST(CapacitySearch, FewRequestsCannotPromiseAnything) {
  // 20 of 20 good: Wilson's interval begins at 84 %, below the target of 95 %.
  SharpServer server{.capacity = 10, .requests = 20};
  const Capacity capacity = find_capacity(server, {}).value();
  EXPECT_EQ(capacity.highest_met_per_s, 0);
  EXPECT_FALSE(capacity.is_resolved);
  EXPECT_EQ(capacity.runs[0].outcome, CapacityOutcome::kUnresolved);
}

TEST(CapacitySearch, StopsAtItsLimitOfRunsAndWhenARunFails) {
  SharpServer endless{.capacity = 1e30};
  const Capacity capacity = find_capacity(endless, {}).value();
  EXPECT_EQ(capacity.runs.size(), 12u);
  EXPECT_TRUE(std::isinf(capacity.lowest_missed_per_s));
  EXPECT_FALSE(capacity.is_resolved);
  const auto broken = [](double) -> Result<AttainmentCount> {
    return Error{ErrorCode::kIo, "gone", ""};
  };
  EXPECT_EQ(find_capacity(broken, {}).error().message, "gone");
  const auto nothing = [](double) -> Result<AttainmentCount> { return AttainmentCount{}; };
  EXPECT_EQ(find_capacity(nothing, {}).value().highest_met_per_s, 0);
}

TEST(CapacitySearch, NeverPromisesMuchMoreThanANoisyServerHas) {
  // Attainment falls from 1 to 0 around 10 per second; 95 % is kept up to about 7.
  int too_high = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto server = [&](double rate) -> Result<AttainmentCount> {
      const double share = 1 / (1 + std::exp(rate - 10));
      return AttainmentCount{std::binomial_distribution<int64_t>(500, share)(random), 500};
    };
    const Capacity capacity = find_capacity(server, {}).value();
    too_high += capacity.highest_met_per_s > 7.1 ? 1 : 0;
    EXPECT_GT(capacity.highest_met_per_s, 3);
  }
  EXPECT_LE(too_high, 20);
}

}  // namespace
}  // namespace twostroke

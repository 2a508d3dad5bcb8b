// Every function against scipy and numpy: tests/golden/statistics.golden.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "measure/statistics/distributions.h"
#include "measure/statistics/paired.h"
#include "measure/statistics/power.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {
namespace {

using Numbers = std::vector<double>;

Numbers numbers_in(const std::string& text) {
  std::istringstream in(text);
  Numbers numbers;
  for (std::string word; in >> word;) numbers.push_back(std::stod(word));
  return numbers;
}

Numbers evaluate(const std::string& name, const Numbers& x) {
  const auto whole = [&](size_t i) { return static_cast<int64_t>(x[i]); };
  if (name == "normal_cdf") return {normal_cdf(x[0])};
  if (name == "normal_quantile") return {normal_quantile(x[0])};
  if (name == "student_t_cdf") return {student_t_cdf(x[0], x[1])};
  if (name == "student_t_quantile") return {student_t_quantile(x[0], x[1])};
  if (name == "noncentral_t_cdf") return {noncentral_t_cdf(x[0], x[1], x[2])};
  if (name == "incomplete_beta") return {incomplete_beta(x[0], x[1], x[2])};
  if (name == "binomial_cdf") return {binomial_cdf(whole(0), whole(1), x[2])};
  if (name == "binomial_pmf") return {binomial_pmf(whole(0), whole(1), x[2])};
  if (name == "quantile") return {quantile(std::span(x).subspan(1), x[0])};
  if (name == "sign_flip") return {sign_flip_test(x, 1).p_value};
  if (name == "hodges_lehmann") return {paired_effect(x).hodges_lehmann};
  if (name == "holm") return holm_adjusted(x);
  if (name == "paired_t_power") return {paired_t_power(x[0], static_cast<int>(x[1]), x[2])};
  if (name == "wilson") {
    const Interval interval = wilson_interval(whole(0), whole(1));
    return {interval.low, interval.high};
  }
  if (name == "paired_effect") {
    const PairedEffect effect = paired_effect(x);
    return {effect.mean, effect.standard_deviation, effect.interval.low, effect.interval.high};
  }
  ADD_FAILURE() << "no such function: " << name;
  return {};
}

TEST(StatisticsGolden, EveryFunctionAgreesWithScipy) {
  std::ifstream golden("tests/golden/statistics.golden");
  ASSERT_TRUE(golden.is_open()) << "tests run in the project's folder";
  std::map<std::string, int> seen;
  for (std::string line; std::getline(golden, line);) {
    const size_t space = line.find(' ');
    const size_t equals = line.find(" = ");
    const std::string name = line.substr(0, space);
    const Numbers expected = numbers_in(line.substr(equals + 3));
    const Numbers found = evaluate(name, numbers_in(line.substr(space, equals - space)));
    ASSERT_EQ(found.size(), expected.size()) << line;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-9 * std::abs(expected[i]) + 1e-11) << line;
    }
    ++seen[name];
  }
  EXPECT_EQ(seen.size(), 15u);
}

}  // namespace
}  // namespace twostroke

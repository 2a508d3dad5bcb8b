#include "measure/decide/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "base/check.h"
#include "measure/statistics/distributions.h"
#include "measure/statistics/power.h"

namespace twostroke {
namespace {

constexpr double kConfidence = 0.95;

// The level of the stricter of two Holm-corrected tests: what a plan must count on.
double strict_level(const DecisionRules& rules) {
  return rules.alpha / 2;
}

// One run of each side and a noise that somebody else measured: a normal difference of known
// spread.
PhaseDecision with_known_noise(double difference, double noise) {
  const double spread = noise * std::numbers::sqrt2;
  PhaseDecision phase;
  phase.measured = true;
  phase.effect.num_blocks = 1;
  phase.effect.mean = difference;
  phase.effect.hodges_lehmann = difference;
  phase.effect.standard_deviation = spread;
  const double half = normal_quantile(0.5 + kConfidence / 2) * spread;
  phase.effect.interval = {difference - half, difference + half};
  phase.test.p_value = 2 * normal_cdf(-std::abs(difference) / spread);
  return phase;
}

PhaseDecision measured_phase(std::span<const double> ratios, const DecisionRules& rules) {
  if (ratios.empty()) return {};
  if (ratios.size() == 1 && rules.run_noise.value_or(0) > 0) {
    return with_known_noise(ratios[0], *rules.run_noise);
  }
  PhaseDecision phase;
  phase.measured = true;
  phase.effect = paired_effect(ratios, kConfidence);
  phase.test = sign_flip_test(ratios, rules.seed);
  return phase;
}

void correct_for_both(PhaseDecision& ttft, PhaseDecision& tpot) {
  if (ttft.measured && tpot.measured) {
    const std::array<double, 2> p_values = {ttft.test.p_value, tpot.test.p_value};
    const std::vector<double> adjusted = holm_adjusted(p_values);
    ttft.adjusted_p = adjusted[0];
    tpot.adjusted_p = adjusted[1];
    return;
  }
  for (PhaseDecision* phase : {&ttft, &tpot}) {
    if (phase->measured) phase->adjusted_p = phase->test.p_value;
  }
}

int wanted_blocks(const PhaseDecision& phase, const DecisionRules& rules) {
  const PairedEffect& effect = phase.effect;
  if (phase.verdict != PhaseVerdict::kInconclusive) return 0;
  if (effect.num_blocks < 2 || effect.standard_deviation <= 0) return 0;
  const double margin = std::log1p(rules.margin);
  const double target = std::max(std::abs(effect.mean), margin);
  return std::max(effect.num_blocks + 1, blocks_to_detect(target / effect.standard_deviation,
                                                          strict_level(rules), rules.power));
}

void judge(PhaseDecision& phase, const DecisionRules& rules) {
  if (!phase.measured) return;
  const double margin = std::log1p(rules.margin);
  const Interval& interval = phase.effect.interval;
  const bool excludes_zero = interval.low > 0 || interval.high < 0;
  if (interval.low > -margin && interval.high < margin) {
    phase.verdict = PhaseVerdict::kEquivalent;
  } else if (excludes_zero && phase.adjusted_p <= rules.alpha) {
    phase.verdict = interval.high < 0 ? PhaseVerdict::kFaster : PhaseVerdict::kSlower;
    phase.maybe_negligible = interval.high > -margin && interval.low < margin;
  }
}

}  // namespace

const char* verdict_name(PhaseVerdict verdict) {
  switch (verdict) {
    case PhaseVerdict::kFaster:
      return "FASTER";
    case PhaseVerdict::kSlower:
      return "SLOWER";
    case PhaseVerdict::kEquivalent:
      return "EQUIVALENT";
    case PhaseVerdict::kInconclusive:
      return "INCONCLUSIVE";
  }
  return "";
}

const char* verdict_name(JointVerdict verdict) {
  switch (verdict) {
    case JointVerdict::kDominates:
      return "dominates";
    case JointVerdict::kDominated:
      return "dominated";
    case JointVerdict::kTradeOff:
      return "trade-off";
    case JointVerdict::kEquivalent:
      return "equivalent";
    case JointVerdict::kUndetermined:
      return "undetermined";
  }
  return "";
}

JointVerdict joint_verdict(PhaseVerdict ttft, PhaseVerdict tpot) {
  const auto either = [&](PhaseVerdict v) { return ttft == v || tpot == v; };
  if (either(PhaseVerdict::kInconclusive)) return JointVerdict::kUndetermined;
  const bool faster = either(PhaseVerdict::kFaster);
  const bool slower = either(PhaseVerdict::kSlower);
  if (faster && slower) return JointVerdict::kTradeOff;
  if (faster) return JointVerdict::kDominates;
  return slower ? JointVerdict::kDominated : JointVerdict::kEquivalent;
}

Decision decide(std::span<const double> ttft, std::span<const double> tpot,
                const DecisionRules& rules) {
  CHECK(rules.margin > 0 && rules.alpha > 0 && rules.alpha < 1);
  Decision decision;
  decision.ttft = measured_phase(ttft, rules);
  decision.tpot = measured_phase(tpot, rules);
  correct_for_both(decision.ttft, decision.tpot);
  judge(decision.ttft, rules);
  judge(decision.tpot, rules);
  decision.joint = joint_verdict(decision.ttft.verdict, decision.tpot.verdict);
  return decision;
}

PhasePlan plan_for(const PhaseDecision& phase, const DecisionRules& rules) {
  PhasePlan plan;
  if (!phase.measured) return plan;
  const int n = phase.effect.num_blocks;
  plan.detectable = n < 2 ? std::numeric_limits<double>::infinity()
                          : std::expm1(detectable_effect(n, strict_level(rules), rules.power) *
                                       phase.effect.standard_deviation);
  plan.blocks_wanted = wanted_blocks(phase, rules);
  return plan;
}

NoiseCalibration calibrate_noise(std::span<const double> log_ratios, int planned_blocks,
                                 const DecisionRules& rules) {
  CHECK_GE(log_ratios.size(), 2u);
  const PairedEffect effect = paired_effect(log_ratios);
  const double sd = effect.standard_deviation;
  NoiseCalibration calibration;
  calibration.num_blocks = effect.num_blocks;
  calibration.standard_deviation = sd;
  calibration.bias = effect.mean;
  calibration.p_value = sign_flip_test(log_ratios, rules.seed).p_value;
  calibration.detectable =
      std::expm1(detectable_effect(planned_blocks, strict_level(rules), rules.power) * sd);
  calibration.blocks_for_margin =
      sd > 0 ? blocks_to_detect(std::log1p(rules.margin) / sd, strict_level(rules), rules.power)
             : 0;
  return calibration;
}

}  // namespace twostroke

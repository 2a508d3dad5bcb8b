// The verdict of one phase, of both, and what the machine's noise lets anybody see. The rules are
// those of docs/adr/0023; pure functions of the blocks' log ratios.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "measure/statistics/paired.h"

namespace twostroke {

enum class PhaseVerdict { kFaster, kSlower, kEquivalent, kInconclusive };
enum class JointVerdict { kDominates, kDominated, kTradeOff, kEquivalent, kUndetermined };
const char* verdict_name(PhaseVerdict verdict);  // "FASTER"
const char* verdict_name(JointVerdict verdict);  // "trade-off"

struct DecisionRules {
  double alpha = 0.05;   // of any false FASTER or SLOWER, over both phases
  double margin = 0.02;  // a ratio this close to 1 does not matter
  double power = 0.8;    // for the smallest detectable effect
  // Standard deviation of the log of one run's statistic, known from elsewhere; lets one pair of
  // runs have a verdict.
  std::optional<double> run_noise = {};
  uint64_t seed = 1;
};

// B against A in one phase. Effects and intervals are of ln(B / A): negative is faster.
struct PhaseDecision {
  bool measured = false;  // false: there is no such phase in these runs
  PhaseVerdict verdict = PhaseVerdict::kInconclusive;
  // FASTER or SLOWER is certain, but the difference may be within the margin.
  bool maybe_negligible = false;
  PairedEffect effect;
  SignFlipTest test;
  double adjusted_p = 1;  // Holm's, over the phases that were measured
};

struct Decision {
  PhaseDecision ttft;
  PhaseDecision tpot;
  JointVerdict joint = JointVerdict::kUndetermined;
};

// Log ratios per block; empty: not measured.
Decision decide(std::span<const double> ttft, std::span<const double> tpot,
                const DecisionRules& rules);

JointVerdict joint_verdict(PhaseVerdict ttft, PhaseVerdict tpot);

// What so many blocks with such noise could have shown. Takes a fraction of a second: it simulates.
struct PhasePlan {
  // Smallest ratio - 1 that is found with the rules' power, at the level the first of two
  // Holm-corrected tests has. Infinite: so few blocks find nothing.
  double detectable = 0;
  // For an INCONCLUSIVE phase, about how many blocks would decide. 0: unknown, or decided.
  int blocks_wanted = 0;
};
PhasePlan plan_for(const PhaseDecision& phase, const DecisionRules& rules);

// Blocks of A against A.
struct NoiseCalibration {
  int num_blocks = 0;
  double standard_deviation = 0;  // of ln ratios
  double bias = 0;                // their mean: should be about 0
  double p_value = 1;             // of no bias; small: the method itself is off, or bad luck
  double detectable = 0;          // ratio - 1, with `planned_blocks`
  int blocks_for_margin = 0;      // to show or rule out a difference as large as the margin
};
// REQUIRES: at least two ratios.
NoiseCalibration calibrate_noise(std::span<const double> log_ratios, int planned_blocks,
                                 const DecisionRules& rules);

}  // namespace twostroke

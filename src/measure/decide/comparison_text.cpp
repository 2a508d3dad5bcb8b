#include "measure/decide/comparison_text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "measure/statistics/power.h"

namespace twostroke {
namespace {

// "between 8.0 % and 15.2 %", smaller first, without signs; for an interval on one side of 0.
std::string range_text(const Interval& log_interval) {
  double low = std::abs(percent_of(log_interval.low));
  double high = std::abs(percent_of(log_interval.high));
  if (low > high) std::swap(low, high);
  return fmt::format("between {:.1f} % and {:.1f} %", low, high);
}

std::string phase_sentence(const PhaseDecision& phase, const PhasePlan& plan, const char* what,
                           const char* faster, const char* slower, double margin) {
  if (!phase.measured) return fmt::format("{} was not measured. ", what);
  const std::string difference = fmt::format("{:.1f} %", std::abs(percent_of(phase.effect.mean)));
  const char* maybe =
      phase.maybe_negligible ? ", a real difference but perhaps too small to matter" : "";
  switch (phase.verdict) {
    case PhaseVerdict::kFaster:
      return fmt::format("{} {} by {} ({}{}). ", what, faster, difference,
                         range_text(phase.effect.interval), maybe);
    case PhaseVerdict::kSlower:
      return fmt::format("{} {} by {} ({}{}). ", what, slower, difference,
                         range_text(phase.effect.interval), maybe);
    case PhaseVerdict::kEquivalent:
      return fmt::format(
          "{} is the same for all practical purposes: any difference is below {:g} %. ", what,
          100 * margin);
    case PhaseVerdict::kInconclusive:
      break;
  }
  std::string text = fmt::format("Whether {} differs is open", what);
  if (phase.effect.num_blocks > 1) {
    text += fmt::format(": the difference is between {} and {}",
                        percent_text(phase.effect.interval.low),
                        percent_text(phase.effect.interval.high));
  }
  if (plan.blocks_wanted >= kMaxPlannedBlocks) {
    text += "; more blocks will not tell, less noise might";
  } else if (plan.blocks_wanted > 0) {
    text += fmt::format("; about {} blocks instead of {} would tell", plan.blocks_wanted,
                        phase.effect.num_blocks);
  }
  return text + ". ";
}

std::string trade_sentence(const Comparison& c) {
  if (!c.even || !c.even->exists) return "";
  const BreakEven& even = *c.even;
  const char* shorter = even.b_wins_below ? "B" : "A";
  const char* longer = even.b_wins_below ? "A" : "B";
  std::string text = fmt::format(
      "So it depends on how long answers are: up to about {}, {} is done first; for longer ones, "
      "{}. "
      "In the load that was measured {:.0f} % of the answers are shorter than that",
      break_even_text(even), shorter, longer, 100 * even.share_below);
  if (even.bounded && even.share_interval.high - even.share_interval.low >= 0.01) {
    text += fmt::format(" (between {:.0f} % and {:.0f} %)", 100 * even.share_interval.low,
                        100 * even.share_interval.high);
  }
  return text + ". ";
}

std::string joint_sentence(const Comparison& c) {
  switch (c.decision.joint) {
    case JointVerdict::kDominates:
      return "B is the better choice: it wins in at least one phase and loses in none. ";
    case JointVerdict::kDominated:
      return "A is the better choice: B loses in at least one phase and wins in none. ";
    case JointVerdict::kEquivalent:
      return "Choose by something other than speed. ";
    case JointVerdict::kTradeOff:
      return trade_sentence(c);
    case JointVerdict::kUndetermined:
      return "This measurement does not decide between them. ";
  }
  return "";
}

std::string goodput_sentence(const Comparison& c) {
  if (!c.goodput) return "";
  const Goodput& goodput = *c.goodput;
  const bool is_certain = goodput.p_value <= 0.05;
  return fmt::format(
      "Of the requests, {:.1f} % with A and {:.1f} % with B keep the limits that were given{}. ",
      100 * goodput.attainment_a, 100 * goodput.attainment_b,
      is_certain ? "" : "; the difference is within the noise");
}

std::string limits_text(const SloLimits& slo) {
  std::string text;
  if (slo.ttft_ms) text += fmt::format(" TTFT <= {:g} ms", *slo.ttft_ms);
  if (slo.tpot_ms) text += fmt::format(" TPOT <= {:g} ms", *slo.tpot_ms);
  if (slo.e2el_ms) text += fmt::format(" E2EL <= {:g} ms", *slo.e2el_ms);
  return text;
}

void add_phase_line(std::string& out, const char* name, const PhaseDecision& phase,
                    const PhasePlan& plan) {
  if (!phase.measured) {
    out += fmt::format("  {:<5} not measured\n", name);
    return;
  }
  out += fmt::format("  {:<5} {:<13} {:>8} {:<22} p = {:.4f} (Holm)", name,
                     verdict_name(phase.verdict), percent_text(phase.effect.mean),
                     percent_interval_text(phase.effect.interval), phase.adjusted_p);
  if (phase.maybe_negligible) out += ", maybe negligible";
  if (std::isfinite(plan.detectable)) {
    out += fmt::format(", could have found {:.1f} %", 100 * plan.detectable);
  }
  if (plan.blocks_wanted > 0) {
    out += fmt::format(", about {} blocks wanted", blocks_wanted_text(plan));
  }
  out += "\n";
}

void add_calibration_line(std::string& out, const char* name,
                          const std::optional<NoiseCalibration>& calibration, double margin) {
  if (!calibration) return;
  out += fmt::format(
      "  {:<5} A against A: noise {:.2f} % per block, bias {}, detectable {:.1f} %, {} blocks for "
      "{:g} %\n",
      name, 100 * calibration->standard_deviation, percent_text(calibration->bias),
      100 * calibration->detectable, calibration->blocks_for_margin, 100 * margin);
}

void add_metrics(std::string& out, const Comparison& c) {
  out += fmt::format("\n  {:<12} {:>12} {:>12}  {:>9}  {:<22} {}\n", "metric", "A", "B", "B / A",
                     "95 % interval", "p (uncorrected)");
  for (const MetricRow& row : c.metrics) {
    const MetricTraits& traits = traits_of(row.metric);
    out += fmt::format(
        "{} {:<12} {:>12} {:>12}  {:>9}  {:<22} {:.4f}\n", row.is_primary ? "*" : " ", traits.name,
        fmt::format("{:.2f} {}", row.a, traits.unit), fmt::format("{:.2f} {}", row.b, traits.unit),
        percent_text(row.effect.mean), percent_interval_text(row.effect.interval), row.p_value);
  }
  out += "  * decided in advance; the others are for exploring\n";
}

}  // namespace

std::string percent_text(double log_ratio, bool magnitude) {
  const double percent = percent_of(log_ratio);
  if (std::isinf(percent)) return "+inf";
  return magnitude ? fmt::format("{:.1f} %", std::abs(percent)) : fmt::format("{:+.1f} %", percent);
}

std::string percent_interval_text(const Interval& log_interval) {
  if (std::isinf(log_interval.high)) return "[unknown]";
  return fmt::format("[{}, {}]", percent_text(log_interval.low), percent_text(log_interval.high));
}

std::string blocks_wanted_text(const PhasePlan& plan) {
  if (plan.blocks_wanted <= 0) return "-";
  if (plan.blocks_wanted >= kMaxPlannedBlocks) return "too many";
  return fmt::format("{}", plan.blocks_wanted);
}

std::string break_even_text(const BreakEven& even) {
  if (!even.exists) return "none: one side is faster at every length";
  if (!even.bounded) {
    return fmt::format("{:.0f} tokens (these blocks cannot bound it)", even.tokens);
  }
  return fmt::format("{:.0f} tokens (95 % interval {:.0f} to {:.0f})", even.tokens,
                     even.interval.low, even.interval.high);
}

std::string comparison_paragraph(const Comparison& c) {
  const double margin = c.rules.decision.margin;
  std::string text = phase_sentence(c.decision.ttft, c.ttft_plan, "the time until an answer begins",
                                    "is shorter with B", "is longer with B", margin);
  text += phase_sentence(c.decision.tpot, c.tpot_plan, "the time per further token of the answer",
                         "is shorter with B", "is longer with B", margin);
  text += joint_sentence(c);
  text += goodput_sentence(c);
  // Sentences begin with a capital letter, whichever came first.
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = i == 0 || (i >= 2 && text[i - 1] == ' ' && text[i - 2] == '.');
    if (begins && text[i] >= 'a' && text[i] <= 'z') text[i] = static_cast<char>(text[i] - 32);
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string comparison_console(const Comparison& c) {
  const double margin = c.rules.decision.margin;
  std::string out;
  out += fmt::format("A: {}\nB: {}\n", c.name_a, c.name_b);
  if (!c.load.empty()) out += fmt::format("{}\n", c.load);
  out += fmt::format("{} block{}, {} requests, margin {:g} %\n\n", c.num_blocks,
                     c.num_blocks == 1 ? "" : "s", c.num_requests, 100 * margin);
  out += fmt::format("B {}\n", c.decision.joint == JointVerdict::kTradeOff
                                   ? "is a trade-off"
                                   : fmt::format("against A: {}", verdict_name(c.decision.joint)));
  add_phase_line(out, "TTFT", c.decision.ttft, c.ttft_plan);
  add_phase_line(out, "TPOT", c.decision.tpot, c.tpot_plan);
  add_calibration_line(out, "TTFT", c.ttft_calibration, margin);
  add_calibration_line(out, "TPOT", c.tpot_calibration, margin);
  if (c.even) {
    out += fmt::format("  break-even answer length: {}; {:.0f} % of the answers are shorter\n",
                       break_even_text(*c.even), 100 * c.even->share_below);
  }
  if (c.goodput) {
    out += fmt::format(
        "  goodput at{}: A {:.1f} % ({:.2f}/s), B {:.1f} % ({:.2f}/s), difference {:+.1f} points "
        "[{:+.1f}, {:+.1f}], p = {:.4f}\n",
        limits_text(c.rules.slo), 100 * c.goodput->attainment_a, c.goodput->requests_per_s_a,
        100 * c.goodput->attainment_b, c.goodput->requests_per_s_b,
        100 * c.goodput->difference.mean, 100 * c.goodput->difference.interval.low,
        100 * c.goodput->difference.interval.high, c.goodput->p_value);
  }
  add_metrics(out, c);
  out += "\n" + comparison_paragraph(c) + "\n";
  for (const std::string& note : c.notes) out += "note: " + note + "\n";
  return out;
}

}  // namespace twostroke

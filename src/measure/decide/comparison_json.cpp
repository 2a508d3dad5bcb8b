#include "measure/decide/comparison_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "measure/decide/comparison_text.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json interval_json(const Interval& interval) {
  return Json::array({number(interval.low), number(interval.high)});
}

// Of a log ratio: what B is above A, as a fraction.
Json ratio_interval_json(const Interval& log_interval) {
  return interval_json({std::expm1(log_interval.low), std::expm1(log_interval.high)});
}

Json phase_json(const PhaseDecision& phase, const PhasePlan& plan,
                const std::vector<double>& ratios) {
  Json out;
  out["measured"] = phase.measured;
  out["verdict"] = verdict_name(phase.verdict);
  if (!phase.measured) return out;
  out["maybe_negligible"] = phase.maybe_negligible;
  out["difference"] = number(std::expm1(phase.effect.mean));
  out["interval"] = ratio_interval_json(phase.effect.interval);
  out["hodges_lehmann"] = number(std::expm1(phase.effect.hodges_lehmann));
  out["block_noise"] = number(phase.effect.standard_deviation);
  out["p_value"] = phase.test.p_value;
  out["p_value_holm"] = phase.adjusted_p;
  out["p_value_is_exact"] = phase.test.exact;
  out["detectable"] = number(plan.detectable);
  out["blocks_wanted"] = plan.blocks_wanted;
  out["log_ratios"] = ratios;
  return out;
}

Json calibration_json(const std::optional<NoiseCalibration>& calibration) {
  if (!calibration) return nullptr;
  Json out;
  out["blocks"] = calibration->num_blocks;
  out["block_noise"] = calibration->standard_deviation;
  out["bias"] = std::expm1(calibration->bias);
  out["p_value"] = calibration->p_value;
  out["detectable"] = number(calibration->detectable);
  out["blocks_for_margin"] = calibration->blocks_for_margin;
  return out;
}

Json break_even_json(const std::optional<BreakEven>& even) {
  if (!even) return nullptr;
  Json out;
  out["exists"] = even->exists;
  if (!even->exists) return out;
  out["tokens"] = number(even->tokens);
  out["interval"] = even->bounded ? interval_json(even->interval) : Json(nullptr);
  out["faster_below"] = even->b_wins_below ? "B" : "A";
  out["share_below"] = even->share_below;
  out["share_interval"] = even->bounded ? interval_json(even->share_interval) : Json(nullptr);
  return out;
}

Json goodput_json(const Comparison& c) {
  if (!c.goodput) return nullptr;
  const auto limit = [](const std::optional<double>& ms) { return ms ? Json(*ms) : Json(nullptr); };
  Json out;
  out["limits"] = {{"ttft_ms", limit(c.rules.slo.ttft_ms)},
                   {"tpot_ms", limit(c.rules.slo.tpot_ms)},
                   {"e2el_ms", limit(c.rules.slo.e2el_ms)}};
  out["attainment"] = {{"a", c.goodput->attainment_a}, {"b", c.goodput->attainment_b}};
  out["requests_per_s"] = {{"a", c.goodput->requests_per_s_a}, {"b", c.goodput->requests_per_s_b}};
  out["difference"] = c.goodput->difference.mean;
  out["interval"] = interval_json(c.goodput->difference.interval);
  out["p_value"] = c.goodput->p_value;
  return out;
}

Json map_json(const SloMap& map) {
  if (map.cells.empty()) return nullptr;
  Json out;
  out["ttft_limits_ms"] = map.ttft_limits_ms;
  out["tpot_limits_ms"] = map.tpot_limits_ms;
  out["winner"] = Json::array();
  out["attainment_a"] = Json::array();
  out["attainment_b"] = Json::array();
  for (size_t row = 0; row < map.ttft_limits_ms.size(); ++row) {
    Json winners = Json::array();
    Json a = Json::array();
    Json b = Json::array();
    for (size_t column = 0; column < map.tpot_limits_ms.size(); ++column) {
      const SloCell& cell = map.at(row, column);
      winners.push_back(cell.winner == SloWinner::kA   ? Json("A")
                        : cell.winner == SloWinner::kB ? Json("B")
                                                       : Json(nullptr));
      a.push_back(cell.attainment_a);
      b.push_back(cell.attainment_b);
    }
    out["winner"].push_back(std::move(winners));
    out["attainment_a"].push_back(std::move(a));
    out["attainment_b"].push_back(std::move(b));
  }
  return out;
}

Json metrics_json(const Comparison& c) {
  Json out = Json::object();
  for (const MetricRow& row : c.metrics) {
    Json metric;
    metric["a"] = number(row.a);
    metric["b"] = number(row.b);
    metric["difference"] = number(std::expm1(row.effect.mean));
    metric["interval"] = ratio_interval_json(row.effect.interval);
    metric["p_value"] = row.p_value;
    metric["primary"] = row.is_primary;
    out[traits_of(row.metric).key] = std::move(metric);
  }
  return out;
}

}  // namespace

Json comparison_json(const Comparison& c) {
  Json out;
  out["schema_version"] = kComparisonSchemaVersion;
  out["verdict"] = verdict_name(c.decision.joint);
  out["paragraph"] = comparison_paragraph(c);
  out["a"] = {{"name", c.name_a}, {"model", c.model_a}};
  out["b"] = {{"name", c.name_b}, {"model", c.model_b}};
  out["load"] = c.load;
  out["blocks"] = c.num_blocks;
  out["requests"] = c.num_requests;
  out["failed"] = c.num_failed;
  out["rules"] = {{"alpha", c.rules.decision.alpha},
                  {"margin", c.rules.decision.margin},
                  {"power", c.rules.decision.power},
                  {"ttft_statistic", traits_of(c.rules.ttft_metric).key},
                  {"tpot_statistic", traits_of(Metric::kTpotMean).key},
                  {"seed", c.rules.decision.seed}};
  out["ttft"] = phase_json(c.decision.ttft, c.ttft_plan, c.ttft_log_ratios);
  out["tpot"] = phase_json(c.decision.tpot, c.tpot_plan, c.tpot_log_ratios);
  out["calibration"] = {{"ttft", calibration_json(c.ttft_calibration)},
                        {"tpot", calibration_json(c.tpot_calibration)}};
  out["break_even"] = break_even_json(c.even);
  out["goodput"] = goodput_json(c);
  out["slo_map"] = map_json(c.map);
  out["metrics"] = metrics_json(c);
  out["texts"] = {{"compared", c.texts.compared}, {"equal", c.texts.equal}};
  out["notes"] = c.notes;
  return out;
}

}  // namespace twostroke

#include "measure/decide/comparison_html.h"

#include <fmt/format.h>

#include <cmath>

#include "measure/decide/comparison_plots.h"
#include "measure/decide/comparison_text.h"
#include "measure/decide/svg_plot.h"

namespace twostroke {
namespace {

constexpr const char* kStyle = R"css(
:root { --ink: #1c2430; --soft: #5d6b7c; --paper: #fff; --edge: #d9e0e8; --a: #2f6fd0; --b: #d9722b;
  --margin: #2e9e6b22; --open: #c9d1da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #9aa8b7; --paper: #141920;
  --edge: #2b3440; --a: #6ea4f4; --b: #f0975a; --margin: #2e9e6b44; --open: #39434f; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.sides { color: var(--soft); overflow-wrap: anywhere; }
.verdict { display: inline-block; padding: .2rem .8rem; border-radius: 1rem; font-weight: 600;
  border: 2px solid currentColor; }
.paragraph { font-size: 1.1rem; max-width: 46rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr));
  gap: 1.5rem; }
figure { margin: 0; } figcaption { color: var(--soft); font-size: .9rem; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--edge); } .tick, .axis { fill: var(--soft); font-size: 11px; }
.label { fill: var(--ink); font-size: 13px; font-weight: 600; }
.zero { stroke: var(--soft); stroke-dasharray: 4 3; fill: none; }
.margin { fill: var(--margin); } .interval { stroke: var(--ink); stroke-width: 3; fill: none; }
.estimate { fill: var(--ink); } .block { fill: var(--soft); fill-opacity: .6; }
.line-a, .line-b { fill: none; stroke-width: 2; } .line-a { stroke: var(--a); }
.line-b { stroke: var(--b); } .cell-a { fill: var(--a); } .cell-b { fill: var(--b); }
.cell-open { fill: var(--open); } .a { color: var(--a); } .b { color: var(--b); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--edge); }
th:first-child, td:first-child { text-align: left; } .wide { overflow-x: auto; }
footer { color: var(--soft); font-size: .85rem; margin: 2rem 0; }
)css";

std::string figure(const std::string& plot, const char* caption) {
  if (plot.empty()) return "";
  return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", plot, caption);
}

std::string phase_row(const char* name, const PhaseDecision& phase, const PhasePlan& plan) {
  if (!phase.measured) {
    return fmt::format(
        "<tr><td>{}</td><td>not measured</td><td></td><td></td><td></td><td></td>"
        "<td></td></tr>\n",
        name);
  }
  return fmt::format(
      "<tr><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td><td>{:.4f}</td><td>{}</td><td>{}</td>"
      "</tr>\n",
      name, verdict_name(phase.verdict), phase.maybe_negligible ? ", maybe negligible" : "",
      percent_text(phase.effect.mean), percent_interval_text(phase.effect.interval),
      phase.adjusted_p,
      std::isfinite(plan.detectable) ? fmt::format("{:.1f} %", 100 * plan.detectable)
                                     : std::string("none"),
      blocks_wanted_text(plan));
}

std::string phase_table(const Comparison& c) {
  return "<div class=\"wide\"><table><tr><th>phase</th><th>verdict</th><th>B against A</th>"
         "<th>95 % interval</th><th>p (Holm)</th><th>could have found</th><th>blocks wanted</th>"
         "</tr>\n" +
         phase_row("TTFT (prefill)", c.decision.ttft, c.ttft_plan) +
         phase_row("TPOT (decode)", c.decision.tpot, c.tpot_plan) + "</table></div>\n";
}

std::string metric_table(const Comparison& c) {
  std::string out =
      "<div class=\"wide\"><table><tr><th>metric</th><th class=\"a\">A</th><th class=\"b\">B</th>"
      "<th>B against A</th><th>95 % interval</th><th>p, uncorrected</th></tr>\n";
  for (const MetricRow& row : c.metrics) {
    const MetricTraits& traits = traits_of(row.metric);
    out += fmt::format(
        "<tr><td>{}{}</td><td>{:.2f} {}</td><td>{:.2f} {}</td><td>{}</td><td>{}</td><td>{:.4f}</td>"
        "</tr>\n",
        traits.name, row.is_primary ? " (decided in advance)" : "", row.a, traits.unit, row.b,
        traits.unit, percent_text(row.effect.mean), percent_interval_text(row.effect.interval),
        row.p_value);
  }
  return out + "</table></div>\n";
}

std::string calibration_item(const char* name, const std::optional<NoiseCalibration>& calibration,
                             double margin) {
  if (!calibration) return "";
  return fmt::format(
      "<li>{}, A against A over {} blocks: noise of a block {:.2f} %, bias {} (p = {:.3f}); {:g} % "
      "would take {} blocks.</li>\n",
      name, calibration->num_blocks, 100 * calibration->standard_deviation,
      percent_text(calibration->bias), calibration->p_value, 100 * margin,
      calibration->blocks_for_margin);
}

std::string goodput_item(const Comparison& c) {
  if (!c.goodput) return "";
  return fmt::format(
      "<li>Goodput at the given limits: A {:.1f} % of the requests ({:.2f} per second), B {:.1f} % "
      "({:.2f} per second); difference {:+.1f} points [{:+.1f}, {:+.1f}].</li>\n",
      100 * c.goodput->attainment_a, c.goodput->requests_per_s_a, 100 * c.goodput->attainment_b,
      c.goodput->requests_per_s_b, 100 * c.goodput->difference.mean,
      100 * c.goodput->difference.interval.low, 100 * c.goodput->difference.interval.high);
}

std::string facts(const Comparison& c) {
  const double margin = c.rules.decision.margin;
  std::string out = "<ul>\n";
  if (c.even) {
    out +=
        fmt::format("<li>Break-even answer length: {}; {:.0f} % of the answers are shorter.</li>\n",
                    break_even_text(*c.even), 100 * c.even->share_below);
  }
  out += goodput_item(c);
  out += calibration_item("TTFT", c.ttft_calibration, margin);
  out += calibration_item("TPOT", c.tpot_calibration, margin);
  for (const std::string& note : c.notes) out += fmt::format("<li>{}</li>\n", escape_html(note));
  return out + "</ul>\n";
}

std::string method(const Comparison& c) {
  return fmt::format(
      "<h2>How this was decided</h2><p>{} block{}, each one run of A and one of B in random order "
      "under the same load (same prompts, lengths and arrivals, seed {}). A block gives one ratio "
      "per phase. Intervals are Student's over blocks; p is of the paired sign-flip test{}, with "
      "Holm's correction over the two phases at {:g} %. EQUIVALENT: the interval lies within "
      "±{:g} %. \"Could have found\": the smallest difference found with probability {:g} %. "
      "Colours of the map are for each pair of limits alone.</p>\n",
      c.num_blocks, c.num_blocks == 1 ? "" : "s", c.rules.decision.seed,
      c.decision.ttft.test.exact ? " (exact)" : "", 100 * c.rules.decision.alpha,
      100 * c.rules.decision.margin, 100 * c.rules.decision.power);
}

}  // namespace

std::string comparison_html(const Comparison& c, const std::string& made) {
  const std::string verdict = verdict_name(c.decision.joint);
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";
  out += fmt::format("<title>B against A: {}</title>\n<style>{}</style></head><body>\n", verdict,
                     kStyle);
  out += fmt::format("<h1>B against A: <span class=\"verdict\">{}</span></h1>\n", verdict);
  out += fmt::format(
      "<p class=\"sides\"><b class=\"a\">A</b> {}<br><b class=\"b\">B</b> {}<br>{}</p>\n",
      escape_html(c.name_a), escape_html(c.name_b), escape_html(c.load));
  out += fmt::format("<p class=\"paragraph\">{}</p>\n", escape_html(comparison_paragraph(c)));
  out += phase_table(c) + facts(c) + "<div class=\"plots\">\n";
  out +=
      figure(effect_plot(c),
             "Both phases: estimate and 95 % interval; the dots are blocks, the green band is the "
             "margin within which a difference does not matter.");
  out += figure(break_even_plot(c),
                "Time for a whole answer against its length. Dots: 5, 25, 50, 75 and 95 % of the "
                "answers are that long at most.");
  out += figure(slo_map_plot(c),
                "Limits under which A (blue) or B (orange) keeps more requests; grey: undecided.");
  out += figure(distribution_plot(c.ttft, "TTFT"), "Time to first token, all requests.");
  out += figure(distribution_plot(c.tpot, "TPOT"), "Time per output token, all requests.");
  out += "</div>\n<h2>All metrics</h2>\n" + metric_table(c) + method(c);
  out += fmt::format("<footer>{}</footer>\n</body></html>\n", escape_html(made));
  return out;
}

}  // namespace twostroke

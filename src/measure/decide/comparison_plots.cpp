#include "measure/decide/comparison_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "measure/decide/comparison_text.h"
#include "measure/decide/svg_plot.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {
namespace {

constexpr int kWidth = 560;

struct PhaseRow {
  const char* name;
  const PhaseDecision* phase;
  const std::vector<double>* ratios;
};

// Wide enough for the margin, every interval and every block.
double effect_extent(const Comparison& c) {
  double extent = 150 * c.rules.decision.margin;
  for (const std::vector<double>* ratios : {&c.ttft_log_ratios, &c.tpot_log_ratios}) {
    for (const double ratio : *ratios) extent = std::max(extent, std::abs(percent_of(ratio)));
  }
  for (const PhaseDecision* phase : {&c.decision.ttft, &c.decision.tpot}) {
    if (!phase->measured || std::isinf(phase->effect.interval.high)) continue;
    extent = std::max({extent, std::abs(percent_of(phase->effect.interval.low)),
                       std::abs(percent_of(phase->effect.interval.high))});
  }
  return std::min(extent * 1.1, 1000.0);
}

void add_phase(SvgPlot& plot, const PhaseRow& row, double y, double extent) {
  const auto shown = [extent](double log_ratio) {
    return std::clamp(percent_of(log_ratio), -extent, extent);
  };
  const PairedEffect& effect = row.phase->effect;
  plot.text({-extent, y + 0.28}, fmt::format("{}: {}", row.name, verdict_name(row.phase->verdict)),
            "label");
  for (size_t i = 0; i < row.ratios->size(); ++i) {
    const double ratio = (*row.ratios)[i];
    plot.dot({shown(ratio), y - 0.18}, 3, "block",
             fmt::format("block {}: {}", i + 1, percent_text(ratio)));
  }
  if (std::isinf(effect.interval.high)) return;
  const std::vector<SvgPlot::Point> ends = {{shown(effect.interval.low), y},
                                            {shown(effect.interval.high), y}};
  plot.line(ends, "interval");
  plot.dot({shown(effect.mean), y}, 5, "estimate",
           fmt::format("{} {}", percent_text(effect.mean), percent_interval_text(effect.interval)));
}

// The rate per token and the start, from the rows of the table.
const MetricRow* row_of(const Comparison& c, Metric metric) {
  const auto row = std::ranges::find(c.metrics, metric, &MetricRow::metric);
  return row == c.metrics.end() ? nullptr : &*row;
}

std::string cell_tooltip(const Comparison& c, size_t row, size_t column) {
  const SloCell& cell = c.map.at(row, column);
  return fmt::format("TTFT <= {:.0f} ms, TPOT <= {:.1f} ms: A {:.0f} %, B {:.0f} %",
                     c.map.ttft_limits_ms[row], c.map.tpot_limits_ms[column],
                     100 * cell.attainment_a, 100 * cell.attainment_b);
}

// Halfway, on the log scale, to the next limit.
double cell_edge(const std::vector<double>& limits, size_t index) {
  const double step = std::sqrt(limits[1] / limits[0]);
  return index == limits.size() ? limits.back() * step : limits[index] / step;
}

}  // namespace

std::string effect_plot(const Comparison& c) {
  const double extent = effect_extent(c);
  SvgPlot plot(kWidth, 220, {-extent, extent, false, "B against A, % (left: B is faster)"},
               {0.4, 2.6, false, ""});
  plot.y_ticks(false);
  const double margin = 100 * c.rules.decision.margin;
  plot.box({-margin, 0.4}, {margin, 2.6}, "margin", fmt::format("within {:g} %", margin));
  const std::vector<SvgPlot::Point> zero = {{0, 0.4}, {0, 2.6}};
  plot.line(zero, "zero");
  add_phase(plot, {"TTFT", &c.decision.ttft, &c.ttft_log_ratios}, 2, extent);
  add_phase(plot, {"TPOT", &c.decision.tpot, &c.tpot_log_ratios}, 1, extent);
  return plot.str("Difference between B and A in both phases");
}

std::string break_even_plot(const Comparison& c) {
  const MetricRow* ttft = row_of(c, c.rules.ttft_metric);
  const MetricRow* tpot = row_of(c, Metric::kTpotMean);
  if (ttft == nullptr || tpot == nullptr || c.output_lengths.empty()) return "";
  const std::vector<double> lengths(c.output_lengths.begin(), c.output_lengths.end());
  double longest = std::max(8.0, 1.3 * quantile_of_sorted(lengths, 0.99));
  const bool crosses = c.even && c.even->exists;
  if (crosses) longest = std::max(longest, std::min(c.even->tokens * 1.6, 10 * longest));
  const auto end_to_end = [](double start, double each, double tokens) {
    return start + (tokens - 1) * each;
  };
  const double top =
      std::max(end_to_end(ttft->a, tpot->a, longest), end_to_end(ttft->b, tpot->b, longest));
  SvgPlot plot(kWidth, 300, {1, longest, false, "answer length, tokens"},
               {0, top * 1.02, false, "end to end, ms"});
  if (crosses && c.even->bounded) {
    plot.box({std::clamp(c.even->interval.low, 1.0, longest), 0},
             {std::clamp(c.even->interval.high, 1.0, longest), top * 1.02}, "margin",
             "break-even length, 95 % interval");
  }
  for (const double q : {0.05, 0.25, 0.5, 0.75, 0.95}) {
    const double length = quantile_of_sorted(lengths, q);
    plot.dot({std::clamp(length, 1.0, longest), top * 0.02}, 4, "block",
             fmt::format("{:.0f} % of the answers have at most {:.0f} tokens", 100 * q, length));
  }
  const std::vector<SvgPlot::Point> a = {{1, ttft->a},
                                         {longest, end_to_end(ttft->a, tpot->a, longest)}};
  const std::vector<SvgPlot::Point> b = {{1, ttft->b},
                                         {longest, end_to_end(ttft->b, tpot->b, longest)}};
  plot.line(a, "line-a");
  plot.line(b, "line-b");
  return plot.str("End-to-end time against answer length");
}

std::string slo_map_plot(const Comparison& c) {
  const SloMap& map = c.map;
  if (map.cells.empty() || !(map.ttft_limits_ms[0] < map.ttft_limits_ms[1]) ||
      !(map.tpot_limits_ms[0] < map.tpot_limits_ms[1])) {
    return "";
  }
  const std::vector<double>& x = map.ttft_limits_ms;
  const std::vector<double>& y = map.tpot_limits_ms;
  SvgPlot plot(kWidth, 340, {cell_edge(x, 0), cell_edge(x, x.size()), true, "TTFT limit, ms"},
               {cell_edge(y, 0), cell_edge(y, y.size()), true, "TPOT limit, ms"});
  for (size_t row = 0; row < x.size(); ++row) {
    for (size_t column = 0; column < y.size(); ++column) {
      const SloWinner winner = map.at(row, column).winner;
      const char* css_class = winner == SloWinner::kA   ? "cell-a"
                              : winner == SloWinner::kB ? "cell-b"
                                                        : "cell-open";
      plot.box({cell_edge(x, row), cell_edge(y, column)},
               {cell_edge(x, row + 1), cell_edge(y, column + 1)}, css_class,
               cell_tooltip(c, row, column));
    }
  }
  return plot.str("Which side keeps more requests within the limits");
}

std::string distribution_plot(const PooledQuantiles& quantiles, const std::string& label) {
  if (quantiles.a.empty() || quantiles.b.empty()) return "";
  const double low = std::min(quantiles.a.front(), quantiles.b.front()) * 0.95;
  const double high = std::max(quantiles.a.back(), quantiles.b.back()) * 1.05;
  if (!(low > 0)) return "";
  SvgPlot plot(kWidth, 260, {low, high, true, label + ", ms"},
               {0, 100, false, "% of requests within"});
  const auto curve = [](const std::vector<double>& values) {
    std::vector<SvgPlot::Point> points;
    for (size_t i = 0; i < values.size(); ++i) {
      points.emplace_back(values[i],
                          100.0 * static_cast<double>(i) / static_cast<double>(values.size() - 1));
    }
    return points;
  };
  plot.line(curve(quantiles.a), "line-a");
  plot.line(curve(quantiles.b), "line-b");
  return plot.str("Distribution of " + label);
}

}  // namespace twostroke

#include "measure/decide/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "base/check.h"

namespace twostroke {
namespace {

constexpr double kLeft = 62;
constexpr double kRight = 14;
constexpr double kTop = 12;
constexpr double kBottom = 42;

double scaled(const PlotAxis& axis, double value) {
  if (!axis.is_log) return (value - axis.low) / (axis.high - axis.low);
  return std::log(value / axis.low) / std::log(axis.high / axis.low);
}

// Steps of 1, 2 or 5 times a power of ten, about five of them.
std::vector<double> linear_ticks(const PlotAxis& axis) {
  const double raw = (axis.high - axis.low) / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0}) {
    if (step < raw) step = factor * power;
  }
  std::vector<double> ticks;
  for (double tick = std::ceil(axis.low / step) * step; tick <= axis.high + step * 1e-9;
       tick += step) {
    ticks.push_back(std::abs(tick) < step * 1e-9 ? 0 : tick);
  }
  return ticks;
}

std::vector<double> log_ticks(const PlotAxis& axis) {
  std::vector<double> ticks;
  const bool is_wide = axis.high / axis.low > 30;
  for (double power = std::pow(10, std::floor(std::log10(axis.low))); power <= axis.high;
       power *= 10) {
    for (const double factor : {1.0, 2.0, 3.0, 5.0, 7.0}) {
      if (is_wide && factor != 1 && factor != 3) continue;
      const double tick = factor * power;
      if (tick >= axis.low && tick <= axis.high) ticks.push_back(tick);
    }
  }
  return ticks.size() >= 2 ? ticks : std::vector<double>{axis.low, axis.high};
}

std::string tick_text(double tick) {
  return std::abs(tick) >= 1000 || tick == std::round(tick) ? fmt::format("{:.0f}", tick)
                                                            : fmt::format("{:.3g}", tick);
}

std::string tooltip_of(std::string_view tooltip) {
  return tooltip.empty() ? std::string() : fmt::format("<title>{}</title>", escape_html(tooltip));
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

SvgPlot::SvgPlot(int width, int height, PlotAxis x, PlotAxis y)
    : width_(width), height_(height), x_(std::move(x)), y_(std::move(y)) {
  CHECK(x_.low < x_.high && y_.low < y_.high);
  CHECK(!x_.is_log || x_.low > 0);
  CHECK(!y_.is_log || y_.low > 0);
}

double SvgPlot::at_x(double x) const {
  return kLeft + scaled(x_, x) * (width_ - kLeft - kRight);
}
double SvgPlot::at_y(double y) const {
  return height_ - kBottom - scaled(y_, y) * (height_ - kTop - kBottom);
}

void SvgPlot::line(std::span<const Point> points, std::string_view css_class) {
  body_ += fmt::format("<polyline class=\"{}\" points=\"", css_class);
  for (const auto& [x, y] : points) {
    fmt::format_to(std::back_inserter(body_), "{:.1f},{:.1f} ", at_x(x), at_y(y));
  }
  body_ += "\"/>";
}

void SvgPlot::dot(Point at, double radius, std::string_view css_class, std::string_view tooltip) {
  body_ += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\">{}</circle>",
                       css_class, at_x(at.first), at_y(at.second), radius, tooltip_of(tooltip));
}

void SvgPlot::box(Point low, Point high, std::string_view css_class, std::string_view tooltip) {
  const double left = at_x(low.first);
  const double top = at_y(high.second);
  body_ += fmt::format(
      "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">{}</rect>",
      css_class, left, top, std::max(0.0, at_x(high.first) - left),
      std::max(0.0, at_y(low.second) - top), tooltip_of(tooltip));
}

void SvgPlot::text(Point at, std::string_view words, std::string_view css_class,
                   std::string_view anchor) {
  body_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>",
                       css_class, at_x(at.first), at_y(at.second), anchor, escape_html(words));
}

std::string SvgPlot::axes() const {
  const double bottom = height_ - kBottom;
  std::string out;
  for (const double tick : x_.is_log ? log_ticks(x_) : linear_ticks(x_)) {
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>",
        at_x(tick), kTop, bottom, bottom + 15, tick_text(tick));
  }
  if (wants_y_ticks_) {
    for (const double tick : y_.is_log ? log_ticks(y_) : linear_ticks(y_)) {
      out += fmt::format(
          "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
          "<text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
          kLeft, width_ - kRight, at_y(tick), kLeft - 6, at_y(tick) + 4, tick_text(tick));
    }
  }
  out += fmt::format("<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                     (kLeft + width_ - kRight) / 2, height_ - 6, escape_html(x_.label));
  const double middle = (kTop + bottom) / 2;
  out += fmt::format(
      "<text class=\"axis\" x=\"14\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 14 "
      "{0})\">{1}</text>",
      middle, escape_html(y_.label));
  return out;
}

std::string SvgPlot::str(std::string_view title) const {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}{}</svg>\n",
                     width_, height_, escape_html(title), axes(), body_);
}

}  // namespace twostroke

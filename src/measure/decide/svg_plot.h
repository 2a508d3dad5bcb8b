// A plot as inline SVG: axes with round ticks, lines, bands, dots. Colours are classes that the
// page's style sheet names; no script, no font, nothing from outside.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace twostroke {

// <, >, &, quotes.
std::string escape_html(std::string_view text);

struct PlotAxis {
  double low = 0;
  double high = 1;
  bool is_log = false;
  std::string label;
};

class SvgPlot {
 public:
  // REQUIRES: low < high on both axes, and both positive where the axis is logarithmic.
  SvgPlot(int width, int height, PlotAxis x, PlotAxis y);

  using Point = std::pair<double, double>;
  void line(std::span<const Point> points, std::string_view css_class);
  void dot(Point at, double radius, std::string_view css_class, std::string_view tooltip = {});
  // A rectangle in the plot's coordinates.
  void box(Point low, Point high, std::string_view css_class, std::string_view tooltip = {});
  void text(Point at, std::string_view words, std::string_view css_class,
            std::string_view anchor = "start");
  void y_ticks(bool wanted) { wants_y_ticks_ = wanted; }
  std::string str(std::string_view title) const;

 private:
  double at_x(double x) const;
  double at_y(double y) const;
  std::string axes() const;

  int width_;
  int height_;
  PlotAxis x_;
  PlotAxis y_;
  bool wants_y_ticks_ = true;
  std::string body_;
};

}  // namespace twostroke

// MetricWriter: samples of one metric family after another, in Prometheus' text format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/histogram.h"

namespace twostroke {

class MetricWriter {
 public:
  // `labels` are on every sample: `a="b",c="d"`, escaped.
  explicit MetricWriter(std::string labels) : labels_(std::move(labels)) {}

  void begin(std::string_view name, std::string_view type, std::string_view help);
  void value(double value, std::string_view label = {}, std::string_view label_value = {});
  void value_ns(int64_t ns, std::string_view label = {}, std::string_view label_value = {}) {
    value(static_cast<double>(ns) / 1e9, label, label_value);
  }
  void value_with(double value, std::string_view more_labels);
  void histogram_ns(const Histogram& histogram) { write_histogram(histogram, 1e9); }
  void histogram(const Histogram& histogram) { write_histogram(histogram, 1); }

  std::string take() { return std::move(text_); }

 private:
  void write_histogram(const Histogram& histogram, double units_per_value);
  void sample(std::string_view suffix, std::string_view more_labels, double value);

  std::string labels_, name_, text_;
};

// A value as it may stand between the quotes of a label.
std::string escape_label(std::string_view value);

}  // namespace twostroke

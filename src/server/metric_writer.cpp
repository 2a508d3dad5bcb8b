#include "server/metric_writer.h"

#include <fmt/format.h>

#include <iterator>

namespace twostroke {

void MetricWriter::begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void MetricWriter::value(double value, std::string_view label, std::string_view label_value) {
  sample("", label.empty() ? "" : fmt::format("{}=\"{}\"", label, escape_label(label_value)),
         value);
}

void MetricWriter::value_with(double value, std::string_view more_labels) {
  sample("", more_labels, value);
}

void MetricWriter::write_histogram(const Histogram& histogram, double units_per_value) {
  const Histogram::Snapshot snapshot = histogram.snapshot();
  int64_t count = 0;
  for (size_t i = 0; i < snapshot.counts.size(); ++i) {
    count += snapshot.counts[i];
    const bool is_last = i == histogram.bounds().size();
    const std::string bound =
        is_last ? "+Inf"
                : fmt::format("{}", static_cast<double>(histogram.bounds()[i]) / units_per_value);
    sample("_bucket", fmt::format("le=\"{}\"", bound), static_cast<double>(count));
  }
  sample("_sum", "", static_cast<double>(snapshot.sum) / units_per_value);
  sample("_count", "", static_cast<double>(count));
}

void MetricWriter::sample(std::string_view suffix, std::string_view more_labels, double value) {
  const std::string_view comma = labels_.empty() || more_labels.empty() ? "" : ",";
  fmt::format_to(std::back_inserter(text_), "{}{}{{{}{}{}}} {}\n", name_, suffix, labels_, comma,
                 more_labels, value);
}

std::string escape_label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace twostroke

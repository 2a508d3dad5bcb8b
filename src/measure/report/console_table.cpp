#include "measure/report/console_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace twostroke {
namespace {

constexpr int kLabelWidth = 40;
constexpr int kTableWidth = 50;

// The title in the middle of a line of `fill`, as Python's format puts it.
std::string rule(std::string_view title, char fill) {
  const size_t width = std::max<size_t>(kTableWidth, title.size());
  const size_t left = (width - title.size()) / 2;
  std::string line(width, fill);
  line.replace(left, title.size(), title);
  return line + "\n";
}

std::string count_row(std::string_view label, int64_t value) {
  return fmt::format("{:<{}} {:<10}\n", label, kLabelWidth, value);
}

std::string number(double value) {
  if (std::isnan(value)) return "-";
  return std::isinf(value) ? "inf" : fmt::format("{:.2f}", value);
}

std::string number_row(std::string_view label, double value) {
  return fmt::format("{:<{}} {:<10}\n", label, kLabelWidth, number(value));
}

// "  [1.2, 3.4]", or the mark of a percentile that too few samples reach.
std::string interval_text(const PercentileSummary& entry) {
  if (!entry.interval) return " *";
  return fmt::format(" [{}, {}]", number(entry.interval->low), number(entry.interval->high));
}

class Table {
 public:
  explicit Table(const RunReport& report) : report_(report), summary_(report.summary) {}

  std::string text(bool colors) {
    out_ = rule(" Serving Benchmark Result ", '=');
    head();
    metric("Time to First Token", "TTFT", summary_.ttft);
    metric("Time per Output Token (excl. 1st token)", "TPOT", summary_.tpot);
    metric("Inter-token Latency", "ITL", summary_.itl);
    metric("Inter-chunk Latency", "ICL", summary_.icl);
    metric("End-to-end Latency", "E2EL", summary_.e2el);
    if (clocks_differ()) {
      metric("Time to First Token from Schedule", "TTFT", summary_.ttft_from_schedule);
      metric("End-to-end Latency from Schedule", "E2EL", summary_.e2el_from_schedule);
      metric("Wait in the Client", "client queue", summary_.client_queue);
    }
    metric("Queue, says the server", "queue", summary_.queue);
    metric("Prefill, says the server", "prefill", summary_.prefill);
    out_ += std::string(kTableWidth, '=') + "\n";
    if (any_marked_) {
      out_ += "* too few requests for a 95 % interval of this percentile; [low, high] elsewhere\n";
    }
    interference();
    formulas();
    checks(colors);
    return out_;
  }

 private:
  void head() {
    const ArrivalConfig& arrival = report_.config.arrival;
    out_ += count_row("Successful requests:", summary_.completed);
    out_ += count_row("Failed requests:", summary_.failed);
    if (arrival.kind == ArrivalKind::kClosedLoop) {
      out_ += count_row("Maximum request concurrency:", arrival.concurrency);
    } else if (arrival.max_in_flight > 0) {
      out_ += count_row("Maximum request concurrency:", arrival.max_in_flight);
    }
    if (arrival.kind == ArrivalKind::kOpenLoop) {
      out_ += number_row("Request rate configured (RPS):", arrival.rate_per_s);
    }
    if (arrival.kind != ArrivalKind::kClosedLoop && summary_.arrival_rate > 0) {
      out_ += number_row("Request rate realised (RPS):", summary_.arrival_rate);
    }
    out_ += number_row("Benchmark duration (s):", summary_.duration_s);
    out_ += count_row("Total input tokens:", summary_.input_tokens);
    if (summary_.cached_tokens >= 0) {
      out_ += count_row("Input tokens from the prefix cache:", summary_.cached_tokens);
    }
    out_ += count_row("Total generated tokens:", summary_.output_tokens);
    out_ += number_row("Request throughput (req/s):", summary_.request_throughput);
    if (summary_.good >= 0) {
      out_ += number_row("Request goodput (req/s):", summary_.goodput);
      const double share =
          100.0 * static_cast<double>(summary_.good) / std::max(1, summary_.planned);
      out_ += fmt::format("{:<{}} {:.1f} [{:.1f}, {:.1f}]\n",
                          "Requests within the SLO (%):", kLabelWidth, share,
                          100 * (summary_.attainment ? summary_.attainment->low : 0),
                          100 * (summary_.attainment ? summary_.attainment->high : 1));
    }
    out_ += number_row("Output token throughput (tok/s):", summary_.output_throughput);
    out_ += number_row("Peak output token throughput (tok/s):", summary_.peak_output_per_s);
    out_ += number_row("Peak concurrent requests:", summary_.peak_in_flight);
    out_ += number_row("Total token throughput (tok/s):", summary_.total_token_throughput);
  }

  void metric(std::string_view title, std::string_view name, const MetricSummary& metric) {
    if (metric.count == 0) return;
    out_ += rule(title, '-');
    out_ += number_row(fmt::format("Mean {} (ms):", name), metric.mean);
    for (const PercentileSummary& entry : metric.percentiles) {
      const std::string label =
          entry.q == 0.5 ? fmt::format("Median {} (ms):", name)
                         : fmt::format("P{:g} {} (ms):", std::round(entry.q * 1e4) / 1e2, name);
      any_marked_ = any_marked_ || !entry.interval;
      out_ += fmt::format("{:<{}} {:<10}{}\n", label, kLabelWidth, number(entry.value),
                          interval_text(entry));
    }
    out_ += number_row(fmt::format("Max {} (ms):", name), metric.max);
  }

  bool clocks_differ() const {
    return summary_.client_queue.count > 0 && summary_.client_queue.max > 1;
  }

  void interference() {
    const InterferenceSummary& it = summary_.interference;
    if (it.num_beside_prefill == 0 || it.num_alone == 0) return;
    out_ += fmt::format(
        "ITL beside another request's {}: {} ms (p99 {}, worst {}; {} gaps); without: {} ms (p99 "
        "{}; {} gaps). Interference factor {}\n",
        it.told_by_server ? "prefill, says the server," : "wait for its first token",
        number(it.beside_prefill_ms), number(it.beside_prefill_p99_ms), number(it.worst_ms),
        it.num_beside_prefill, number(it.alone_ms), number(it.alone_p99_ms), it.num_alone,
        number(it.factor));
  }

  void formulas() {
    out_ += "How: ";
    const char* separator = "";
    for (const MetricFormula& formula : kMetricFormulas) {
      out_ += fmt::format("{}{} = {}", separator, formula.name, formula.formula);
      separator = "\n     ";
    }
    out_ += "\n     percentiles count a failed request as forever; means are over the others\n";
  }

  void checks(bool colors) {
    for (const RunCheck& check : report_.checks) {
      const char* color = !colors                               ? ""
                          : check.level == CheckLevel::kInvalid ? "\033[1;31m"
                          : check.level == CheckLevel::kWarning ? "\033[33m"
                                                                : "\033[2m";
      out_ += fmt::format("{}{}: {}{}\n", color, check_level_name(check.level), check.message,
                          colors ? "\033[0m" : "");
    }
    if (is_invalid(report_.checks)) out_ += "This run is INVALID: do not use its numbers.\n";
  }

  const RunReport& report_;
  const LoadSummary& summary_;
  std::string out_;
  bool any_marked_ = false;
};

}  // namespace

std::string console_table(const RunReport& report, bool colors) {
  return Table(report).text(colors);
}

}  // namespace twostroke

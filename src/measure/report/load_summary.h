// LoadSummary: one run in the numbers that are reported, with what is known about each. Within one
// run: how much the next run may differ is not in here (measure/decide).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "measure/load_run.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {

struct PercentileSummary {
  double q = 0;  // 0.99
  double value = kUnknown;
  // 95 %: between order statistics where requests are independent, by resampling requests where
  // samples are tokens. Nothing: too few to say, and the value must be marked.
  std::optional<Interval> interval;
};

struct MetricSummary {
  std::string name;          // "ttft"
  int64_t count = 0;         // samples, failures included
  int64_t num_failed = 0;    // of them, +inf
  double mean = kUnknown;    // of those that did not fail
  double stddev = kUnknown;  // the same
  double median = kUnknown;  // failures are +inf here and in the percentiles
  double min = kUnknown;
  double max = kUnknown;
  std::vector<PercentileSummary> percentiles;

  double percentile(double q) const;  // kUnknown when it is not among them
};

// Gaps between tokens with a prefill of another request going on, and without.
struct InterferenceSummary {
  bool told_by_server = false;  // false: guessed from who was waiting for a first token
  int64_t num_alone = 0;
  int64_t num_beside_prefill = 0;
  double alone_ms = kUnknown;  // means
  double beside_prefill_ms = kUnknown;
  double alone_p99_ms = kUnknown;
  double beside_prefill_p99_ms = kUnknown;
  double worst_ms = kUnknown;
  double factor = kUnknown;  // beside_prefill / alone
};

struct LoadSummary {
  int planned = 0;
  int completed = 0;
  int failed = 0;
  std::vector<std::pair<std::string, int>> failures;  // by kind, most first
  std::string first_error;
  double duration_s = 0;
  int64_t input_tokens = 0;    // of completed requests, as the three below
  int64_t cached_tokens = -1;  // -1: the server does not say
  int64_t output_tokens = 0;
  double request_throughput = 0;  // per second of duration
  double output_throughput = 0;
  double total_token_throughput = 0;
  double peak_output_per_s = 0;  // tokens in the busiest whole second
  int peak_in_flight = 0;
  double arrival_rate = 0;  // as it came out
  double tokens_per_chunk = kUnknown;
  int64_t good = -1;                   // requests that met the SLO; -1: there is none
  std::optional<Interval> attainment;  // share of all requests, 95 % (Wilson)
  double goodput = kUnknown;           // good requests per second
  MetricSummary ttft, tpot, itl, icl, e2el;
  MetricSummary ttft_from_schedule, e2el_from_schedule, client_queue;
  MetricSummary queue, prefill;  // as the server says; empty when it does not
  InterferenceSummary interference;
};

inline const std::vector<double> kDefaultPercentiles = {0.5, 0.9, 0.95, 0.99};

LoadSummary summarize(const LoadResult& result, const Slo& slo,
                      const std::vector<double>& percentiles = kDefaultPercentiles);

InterferenceSummary interference_of(const std::vector<ClientRecord>& records);

}  // namespace twostroke

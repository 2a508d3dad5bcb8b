#include "measure/report/load_summary.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "measure/report/metric_summary.h"

namespace twostroke {
namespace {

template <typename F>
MetricSummary over_requests(const char* name, const std::vector<ClientRecord>& records,
                            const std::vector<double>& percentiles, F value_of) {
  std::vector<double> values;
  values.reserve(records.size());
  for (const ClientRecord& record : records) values.push_back(value_of(record));
  return summarize_requests(name, std::move(values), percentiles);
}

template <typename F>
MetricSummary over_tokens(const char* name, const std::vector<ClientRecord>& records,
                          const std::vector<double>& percentiles, F values_of) {
  std::vector<std::vector<double>> by_request;
  by_request.reserve(records.size());
  for (const ClientRecord& record : records) by_request.push_back(values_of(record));
  return summarize_tokens(name, by_request, percentiles);
}

// Tokens in the busiest second, seconds counted from the run's start.
double peak_output(const std::vector<ClientRecord>& records) {
  std::map<int64_t, int64_t> seconds;
  for (const ClientRecord& record : records) {
    for (const ClientChunk& chunk : record.chunks) {
      seconds[chunk.at_ns / 1'000'000'000] += chunk.num_tokens;
    }
  }
  int64_t most = 0;
  for (const auto& [second, tokens] : seconds) most = std::max(most, tokens);
  return static_cast<double>(most);
}

int peak_in_flight(const std::vector<ClientRecord>& records) {
  std::vector<std::pair<int64_t, int>> changes;  // ends before begins at the same time
  for (const ClientRecord& record : records) {
    if (record.sent_ns < 0 || record.done_ns < 0) continue;
    changes.emplace_back(record.sent_ns, 1);
    changes.emplace_back(record.done_ns, -1);
  }
  std::sort(changes.begin(), changes.end());
  int now = 0;
  int most = 0;
  for (const auto& [at_ns, change] : changes) {
    now += change;
    most = std::max(most, now);
  }
  return most;
}

void count(const std::vector<ClientRecord>& records, LoadSummary& out) {
  std::map<std::string, int> kinds;
  int64_t chunks = 0;
  int64_t chunk_tokens = 0;
  for (const ClientRecord& record : records) {
    if (!record.ok()) {
      ++out.failed;
      ++kinds[error_kind_name(record.error_kind)];
      if (out.first_error.empty()) out.first_error = record.error;
      continue;
    }
    ++out.completed;
    out.input_tokens += std::max(0, record.prompt_tokens);
    out.output_tokens += record.output_tokens;
    if (record.cached_tokens >= 0) {
      out.cached_tokens = std::max<int64_t>(0, out.cached_tokens) + record.cached_tokens;
    }
    chunks += static_cast<int64_t>(record.chunks.size());
    for (const ClientChunk& chunk : record.chunks) chunk_tokens += chunk.num_tokens;
  }
  if (chunks > 0) {
    out.tokens_per_chunk = static_cast<double>(chunk_tokens) / static_cast<double>(chunks);
  }
  out.failures.assign(kinds.begin(), kinds.end());
  std::stable_sort(out.failures.begin(), out.failures.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

double arrival_rate_of(const std::vector<ClientRecord>& records) {
  if (records.size() < 2) return 0;
  int64_t first_ns = records.front().scheduled_ns;
  int64_t last_ns = first_ns;
  for (const ClientRecord& record : records) {
    first_ns = std::min(first_ns, record.scheduled_ns);
    last_ns = std::max(last_ns, record.scheduled_ns);
  }
  if (last_ns <= first_ns) return 0;
  return static_cast<double>(records.size() - 1) / (static_cast<double>(last_ns - first_ns) / 1e9);
}

void judge_slo(const std::vector<ClientRecord>& records, const Slo& slo, LoadSummary& out) {
  if (!slo.is_set()) return;
  out.good = std::count_if(records.begin(), records.end(),
                           [&](const ClientRecord& record) { return meets(record, slo); });
  if (!records.empty()) {
    out.attainment = wilson_interval(out.good, static_cast<int64_t>(records.size()));
  }
  out.goodput = out.duration_s > 0 ? static_cast<double>(out.good) / out.duration_s : 0;
}

}  // namespace

LoadSummary summarize(const LoadResult& result, const Slo& slo,
                      const std::vector<double>& percentiles) {
  const std::vector<ClientRecord>& records = result.records;
  LoadSummary out;
  out.planned = static_cast<int>(records.size());
  out.duration_s = static_cast<double>(result.duration_ns) / 1e9;
  count(records, out);
  if (out.duration_s > 0) {
    out.request_throughput = out.completed / out.duration_s;
    out.output_throughput = static_cast<double>(out.output_tokens) / out.duration_s;
    out.total_token_throughput =
        static_cast<double>(out.input_tokens + out.output_tokens) / out.duration_s;
  }
  out.peak_output_per_s = peak_output(records);
  out.peak_in_flight = peak_in_flight(records);
  out.arrival_rate = arrival_rate_of(records);
  judge_slo(records, slo, out);
  const auto requests = [&](const char* name, double ClientMetrics::*member) {
    return over_requests(name, records, percentiles,
                         [&](const ClientRecord& record) { return metrics_of(record).*member; });
  };
  out.ttft = requests("ttft", &ClientMetrics::ttft_ms);
  out.tpot = requests("tpot", &ClientMetrics::tpot_ms);
  out.e2el = requests("e2el", &ClientMetrics::e2el_ms);
  out.ttft_from_schedule = requests("ttft_from_schedule", &ClientMetrics::ttft_from_schedule_ms);
  out.e2el_from_schedule = requests("e2el_from_schedule", &ClientMetrics::e2el_from_schedule_ms);
  out.client_queue = requests("client_queue", &ClientMetrics::client_queue_ms);
  out.itl = over_tokens("itl", records, percentiles, itl_ms);
  out.icl = over_tokens("icl", records, percentiles, icl_ms);
  out.queue = over_requests("queue", records, percentiles,
                            [](const ClientRecord& record) { return record.timings.queue_ms; });
  out.prefill = over_requests("prefill", records, percentiles,
                              [](const ClientRecord& record) { return record.timings.prefill_ms; });
  out.interference = interference_of(records);
  return out;
}

}  // namespace twostroke

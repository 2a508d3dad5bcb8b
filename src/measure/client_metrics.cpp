#include "measure/client_metrics.h"

#include <algorithm>
#include <cmath>

namespace twostroke {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double between_ms(int64_t from_ns, int64_t to_ns) {
  if (from_ns < 0 || to_ns < 0) return kUnknown;
  return static_cast<double>(to_ns - from_ns) / 1e6;
}

double tpot_of(const ClientRecord& record) {
  if (record.chunks.empty()) return kUnknown;
  const int rest = record.output_tokens - std::max(1, record.chunks.front().num_tokens);
  if (rest <= 0) return kUnknown;
  return between_ms(record.first_token_ns, record.last_token_ns) / rest;
}

bool within(double value_ms, double limit_ms) {
  return std::isnan(limit_ms) || std::isnan(value_ms) || value_ms <= limit_ms;
}

}  // namespace

ClientMetrics metrics_of(const ClientRecord& record) {
  ClientMetrics metrics;
  metrics.client_queue_ms = between_ms(record.scheduled_ns, record.sent_ns);
  metrics.connect_ms = between_ms(record.sent_ns, record.connected_ns);
  if (!record.ok()) {
    metrics.ttft_ms = metrics.tpot_ms = metrics.e2el_ms = kNever;
    metrics.ttft_from_schedule_ms = metrics.e2el_from_schedule_ms = kNever;
    return metrics;
  }
  const int64_t end_ns = record.streamed ? record.last_token_ns : record.done_ns;
  metrics.ttft_ms = between_ms(record.sent_ns, record.first_token_ns);
  metrics.tpot_ms = tpot_of(record);
  metrics.e2el_ms = between_ms(record.sent_ns, end_ns);
  metrics.ttft_from_schedule_ms = between_ms(record.scheduled_ns, record.first_token_ns);
  metrics.e2el_from_schedule_ms = between_ms(record.scheduled_ns, end_ns);
  metrics.ttfo_ms = between_ms(record.sent_ns, record.first_answer_ns);
  return metrics;
}

std::vector<double> itl_ms(const ClientRecord& record) {
  std::vector<double> gaps;
  if (!record.ok()) return gaps;
  for (size_t i = 1; i < record.chunks.size(); ++i) {
    const int tokens = record.chunks[i].num_tokens;
    const double gap = between_ms(record.chunks[i - 1].at_ns, record.chunks[i].at_ns);
    // The rest of a token whose bytes came before belongs to the next token's time.
    gaps.insert(gaps.end(), static_cast<size_t>(std::max(0, tokens)), gap / std::max(1, tokens));
  }
  return gaps;
}

std::vector<double> icl_ms(const ClientRecord& record) {
  std::vector<double> gaps;
  if (!record.ok()) return gaps;
  for (size_t i = 1; i < record.chunks.size(); ++i) {
    gaps.push_back(between_ms(record.chunks[i - 1].at_ns, record.chunks[i].at_ns));
  }
  return gaps;
}

bool Slo::is_set() const {
  return !std::isnan(ttft_ms) || !std::isnan(tpot_ms) || !std::isnan(itl_ms) ||
         !std::isnan(e2el_ms);
}

bool meets(const ClientRecord& record, const Slo& slo) {
  if (!record.ok()) return false;
  const ClientMetrics metrics = metrics_of(record);
  const std::vector<double> gaps = itl_ms(record);
  const double longest = gaps.empty() ? kUnknown : *std::max_element(gaps.begin(), gaps.end());
  return within(metrics.ttft_ms, slo.ttft_ms) && within(metrics.tpot_ms, slo.tpot_ms) &&
         within(longest, slo.itl_ms) && within(metrics.e2el_ms, slo.e2el_ms);
}

}  // namespace twostroke

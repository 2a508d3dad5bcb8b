#include "server/response_timings.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

namespace twostroke {
namespace {

// Three decimals, as all milliseconds outside.
double to_ms(double ns) {
  return std::round(ns / 1e3) / 1e3;
}
double to_ms(int64_t ns) {
  return to_ms(static_cast<double>(ns));
}

OrderedJson part_json(int64_t count, int64_t steps, int64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  const bool counts = steps > 0 && ns > 0;
  const double n = static_cast<double>(steps);
  return {{"n", count},
          {"ms", to_ms(ns)},
          {"per_token_ms", counts ? to_ms(static_cast<double>(ns) / n) : 0.0},
          {"per_second", counts ? std::round(n / ms * 1e6) / 1e3 : 0.0}};
}

void add_part(OrderedJson& out, const char* name, const OrderedJson& part) {
  for (const auto& [key, value] : part.items()) out[std::string(name) + "_" + key] = value;
}

// Earliest start to latest end, over those that had both.
class Span {
 public:
  void add(int64_t start_ns, int64_t end_ns) {
    if (start_ns < 0 || end_ns < 0) return;
    start_ns_ = any_ ? std::min(start_ns_, start_ns) : start_ns;
    end_ns_ = any_ ? std::max(end_ns_, end_ns) : end_ns;
    any_ = true;
  }
  int64_t length_ns() const { return any_ ? end_ns_ - start_ns_ : 0; }

 private:
  bool any_ = false;
  int64_t start_ns_ = 0, end_ns_ = 0;
};

}  // namespace

OrderedJson usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

OrderedJson timings_json(std::span<const RequestSummary> summaries) {
  int64_t num_cached = 0;
  int64_t num_computed = 0;
  int64_t num_output = 0;
  int64_t num_decoded = 0;  // output tokens without each request's first
  Span prompt;
  Span predicted;
  for (const RequestSummary& summary : summaries) {
    num_cached += summary.num_cached_tokens;
    num_computed += summary.num_prompt_tokens - summary.num_cached_tokens;
    num_output += summary.num_output_tokens;
    num_decoded += std::max(0, summary.num_output_tokens - 1);
    prompt.add(summary.events.scheduled_ns, summary.events.first_token_ns);
    predicted.add(summary.events.first_token_ns, summary.events.last_token_ns);
  }
  OrderedJson out = {{"cache_n", num_cached}};
  add_part(out, "prompt", part_json(num_computed, num_computed, prompt.length_ns()));
  add_part(out, "predicted", part_json(num_output, num_decoded, predicted.length_ns()));
  return out;
}

OrderedJson partial_timings_json(int64_t first_token_ns, int64_t now_ns, int num_output_tokens) {
  OrderedJson out = OrderedJson::object();
  add_part(out, "predicted",
           part_json(num_output_tokens, num_output_tokens - 1, now_ns - first_token_ns));
  return out;
}

OrderedJson events_json(const RequestEvents& events) {
  const auto since_received = [&](int64_t ns) -> OrderedJson {
    if (ns < 0) return nullptr;
    return to_ms(ns - events.received_ns);
  };
  return {{"received", 0.0},
          {"tokenized", since_received(events.tokenized_ns)},
          {"queued", since_received(events.queued_ns)},
          {"scheduled", since_received(events.scheduled_ns)},
          {"first_token", since_received(events.first_token_ns)},
          {"last_token", since_received(events.last_token_ns)},
          {"finished", since_received(events.finished_ns)}};
}

OrderedJson intervals_json(const RequestIntervals& intervals) {
  return {{"intake", to_ms(intervals.intake_ns)},     {"queue", to_ms(intervals.queue_ns)},
          {"prefill", to_ms(intervals.prefill_ns)},   {"decode", to_ms(intervals.decode_ns)},
          {"delivery", to_ms(intervals.delivery_ns)}, {"ttft", to_ms(intervals.ttft_ns)},
          {"tpot", to_ms(intervals.tpot_ns)}};
}

OrderedJson blame_json(const BlameSummary& blame) {
  OrderedJson list = OrderedJson::array();
  for (const Blame& it : blame.top) {
    if (it.ns == 0) break;
    list.push_back({{"request", it.request},
                    {"phase", step_phase_name(it.phase)},
                    {"ns", it.ns},
                    {"ms", to_ms(it.ns)}});
  }
  return list;
}

namespace {

std::string_view reuse_reason(const RequestSummary& summary) {
  if (!summary.cache_prompt) return "disabled";
  if (summary.num_cached_tokens == 0) return "cold";
  // The last block is always computed: something must be left to continue.
  return summary.num_cached_tokens >= summary.num_prompt_tokens - summary.kv_block_tokens
             ? "full"
             : "partial";
}

OrderedJson percent_json(double part, double whole) {
  if (!(part > 0) || !(whole > 0)) return nullptr;
  return std::round(1000.0 * part / whole) / 10.0;
}

}  // namespace

OrderedJson phases_json(const RequestSummary& summary, const MachineReport& machine) {
  OrderedJson causes = OrderedJson::object();
  for (int i = 0; i < kNumCauses; ++i) {
    const Cause cause = static_cast<Cause>(i);
    causes[std::string(cause_name(cause))] = summary.ledger.of(cause);
  }
  const Roofline roofline =
      roofline_of(machine, summary.num_prompt_tokens, summary.num_cached_tokens,
                  summary.num_output_tokens, summary.ledger);
  OrderedJson out = {
      {"events_ms", events_json(summary.events)},
      {"intervals_ms", intervals_json(intervals_of(summary.events, summary.num_output_tokens))},
      {"causes_ns", std::move(causes)},
      {"total_ns", summary.ledger.total_ns()},
      {"cache", {{"reused_tokens", summary.num_cached_tokens}, {"reason", reuse_reason(summary)}}},
      {"limits",
       {{"prefill_percent_of_peak",
         percent_json(roofline.prefill_macs_per_second, machine.limits.macs_per_second)},
        {"decode_percent_of_bandwidth",
         percent_json(roofline.decode_bytes_per_second, machine.limits.read_bytes_per_second)}}},
      {"interference", blame_json(summary.interference)},
      {"interference_rest_ns", summary.interference.rest_ns},
      {"waited_for", blame_json(summary.waited_for)},
      {"waited_for_rest_ns", summary.waited_for.rest_ns},
      {"steps", summary.num_steps},
      {"preemptions", summary.num_preemptions}};
  if (summary.grammar.num_masks > 0) {
    out["grammar"] = {{"masks", summary.grammar.num_masks},
                      {"compile_ms", to_ms(summary.grammar.compile_ns)},
                      {"mask_ms", to_ms(summary.grammar.mask_ns)},
                      {"wait_ms", to_ms(summary.grammar.wait_ns)}};
  }
  return out;
}

}  // namespace twostroke

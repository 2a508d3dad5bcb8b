#include "apps/saved_phases.h"

#include <cmath>

namespace twostroke {
namespace {

int64_t ns_of_ms(const Json& object, const char* key) {
  return std::llround(json_number(object, key, 0) * 1e6);
}

int int_of(const Json& object, const char* key) {
  return static_cast<int>(json_int(object, key, 0));
}

// The last chunk of a stream, or a reply with several choices, may have it one level down.
const Json& find_phases(const Json& reply) {
  if (reply.is_object() && reply.contains("causes_ns")) return reply;
  const Json& phases = json_member(reply, "phases");
  if (phases.is_object()) return phases;
  const Json& choices = json_member(reply, "choices");
  return choices.is_array() && !choices.empty() ? json_member(choices[0], "phases") : phases;
}

void read_spans(const Json& phases, ExplainInput& input) {
  const Json& spans = json_member(json_member(phases, "anatomy"), "spans");
  if (!spans.is_array()) return;
  for (const Json& it : spans) {
    PromptSpan span;
    span.source = json_string(it, "source");
    span.role = json_string(it, "role");
    span.label = json_string(it, "label");
    span.first_token = int_of(it, "first_token");
    span.num_tokens = int_of(it, "tokens");
    span.num_characters = json_int(it, "characters", 0);
    input.num_prompt_tokens += span.num_tokens;
    input.spans.push_back(std::move(span));
    input.costs.push_back({.cached_tokens = int_of(it, "cached_tokens"),
                           .computed_tokens = int_of(it, "computed_tokens"),
                           .prefill_ns = ns_of_ms(it, "prefill_ms")});
  }
}

void read_cache(const Json& phases, ExplainInput& input) {
  const Json& cache = json_member(phases, "cache");
  const Json& broken = json_member(cache, "break");
  input.num_cached_tokens = int_of(cache, "reused_tokens");
  input.cache.reason = json_string(cache, "reason");
  input.cache.sentence = json_string(broken, "sentence");
  input.cache.tokens = int_of(broken, "again_tokens");
  input.cache.span_ns.assign(input.spans.size(), 0);
  const Json& spans = json_member(broken, "spans");
  if (!spans.is_array()) return;
  for (const Json& it : spans) {
    const int64_t i = json_int(it, "span", -1);
    if (i < 0 || i >= std::ssize(input.spans)) continue;
    input.cache.span_ns[static_cast<size_t>(i)] = ns_of_ms(it, "ms");
  }
}

std::vector<Culprit> read_culprits(const Json& list) {
  std::vector<Culprit> out;
  if (!list.is_array()) return out;
  for (const Json& it : list) {
    out.push_back({static_cast<RequestId>(json_int(it, "request", 0)), json_string(it, "phase"),
                   json_int(it, "ns", 0)});
  }
  return out;
}

}  // namespace

Result<ExplainInput> input_of_saved_phases(const Json& reply) {
  const Json& phases = find_phases(reply);
  const Json& causes = json_member(phases, "causes_ns");
  if (!causes.is_object()) {
    return Error{ErrorCode::kInvalidArgument,
                 "expected a reply with \"phases\" (ask with \"phases\": true), found no causes_ns",
                 "phases"};
  }
  ExplainInput input;
  for (int i = 0; i < kNumCauses; ++i) {
    const std::string name(cause_name(static_cast<Cause>(i)));
    input.causes_ns[static_cast<size_t>(i)] = json_int(causes, name.c_str(), 0);
  }
  const Json& intervals = json_member(phases, "intervals_ms");
  input.intervals = {.intake_ns = ns_of_ms(intervals, "intake"),
                     .queue_ns = ns_of_ms(intervals, "queue"),
                     .prefill_ns = ns_of_ms(intervals, "prefill"),
                     .decode_ns = ns_of_ms(intervals, "decode"),
                     .delivery_ns = ns_of_ms(intervals, "delivery"),
                     .ttft_ns = ns_of_ms(intervals, "ttft"),
                     .tpot_ns = json_number(intervals, "tpot", 0) * 1e6};
  read_spans(phases, input);
  read_cache(phases, input);
  input.num_preemptions = int_of(phases, "preemptions");
  input.waited_for = read_culprits(json_member(phases, "waited_for"));
  input.interference = read_culprits(json_member(phases, "interference"));
  const Json& limits = json_member(phases, "limits");
  input.prefill_percent_of_peak = json_number(limits, "prefill_percent_of_peak", 0);
  input.decode_percent_of_bandwidth = json_number(limits, "decode_percent_of_bandwidth", 0);
  // A token takes TPOT from the second one on.
  if (input.intervals.tpot_ns > 0) {
    input.num_output_tokens = static_cast<int>(
        1 + std::llround(double(input.intervals.decode_ns) / input.intervals.tpot_ns));
  }
  return input;
}

}  // namespace twostroke

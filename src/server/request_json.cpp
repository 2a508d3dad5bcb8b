#include "server/request_json.h"

#include <array>
#include <cmath>

#include "server/response_timings.h"

namespace twostroke {
namespace {

bool is_waiting(RequestPhase phase) {
  return phase == RequestPhase::kWaiting || phase == RequestPhase::kPreempted;
}

OrderedJson wait_cause_json(const RequestProgress& progress) {
  if (!is_waiting(progress.phase)) return nullptr;
  return cause_name(progress.wait_cause);
}

OrderedJson chunk_json(const PrefillChunk& chunk, int64_t received_ns) {
  return {{"step", chunk.step},
          {"first_token", chunk.first_token},
          {"tokens", chunk.num_tokens},
          {"start_ms", ms_of(chunk.start_ns - received_ns)},
          {"end_ms", ms_of(chunk.end_ns - received_ns)},
          {"own_ns", chunk.own_ns},
          {"recomputed", chunk.kind == ChunkKind::kRecomputed},
          {"aborted", chunk.kind == ChunkKind::kAborted}};
}

OrderedJson times_json(const std::vector<int64_t>& times_ns, int64_t received_ns) {
  OrderedJson times = OrderedJson::array();
  for (const int64_t ns : times_ns) times.push_back(ms_of(ns - received_ns));
  return times;
}

OrderedJson error_json(const CostModelError& error) {
  return {{"steps", error.num_steps}, {"median", error.median}, {"p95", error.p95}};
}

OrderedJson known(double value, double unit) {
  if (!(value > 0)) return nullptr;
  return std::round(1000.0 * value / unit) / 1000.0;
}

}  // namespace

double ms_of(int64_t ns) {
  return std::round(static_cast<double>(ns) / 1e3) / 1e3;
}

RequestSummary summary_of(const RequestRecord& record, int kv_block_tokens) {
  const RequestProgress progress = record.progress();
  RequestSummary summary;
  summary.id = record.about().id;
  summary.num_prompt_tokens = record.about().num_prompt_tokens;
  summary.num_cached_tokens = progress.num_cached_tokens;
  summary.num_output_tokens = progress.num_output_tokens;
  summary.num_steps = progress.num_steps;
  summary.num_preemptions = progress.num_preemptions;
  summary.finish_reason = progress.finish_reason;
  summary.events = progress.events;
  summary.ledger = progress.ledger;
  summary.interference = progress.interference;
  summary.waited_for = progress.waited_for;
  summary.cache_prompt = record.about().cache_prompt;
  summary.kv_block_tokens = kv_block_tokens;
  return summary;
}

OrderedJson request_row_json(const RequestRecord& record) {
  const RequestAbout& about = record.about();
  const RequestProgress progress = record.progress();
  const bool ended = progress.finish_reason != FinishReason::kNone;
  const bool over = progress.end != RequestEnd::kNone;
  return {
      {"id", about.id},
      {"reply_id", about.reply_id.empty() ? OrderedJson() : OrderedJson(about.reply_id)},
      {"choice", about.choice},
      {"kind", request_kind_name(about.kind)},
      {"state", request_phase_name(progress.phase)},
      {"wait_cause", wait_cause_json(progress)},
      {"finish_reason",
       ended ? OrderedJson(finish_reason_name(progress.finish_reason)) : OrderedJson()},
      {"end", over ? OrderedJson(request_end_name(progress.end)) : OrderedJson()},
      {"prompt_tokens", about.num_prompt_tokens},
      {"cached_tokens", progress.num_cached_tokens},
      {"computed_tokens", progress.num_computed_tokens},
      {"output_tokens", progress.num_output_tokens},
      {"max_tokens", about.max_tokens},
      {"steps", progress.num_steps},
      {"preemptions", progress.num_preemptions},
      {"received_ms", ms_of(about.received_ns)},
      {"events_ms", events_json(progress.events)},
      {"intervals_ms", intervals_json(intervals_of(progress.events, progress.num_output_tokens))}};
}

OrderedJson request_detail_json(const RequestRecord& record, const EngineObserver& observer) {
  const RequestAbout& about = record.about();
  OrderedJson detail = request_row_json(record);
  OrderedJson siblings = OrderedJson::array();
  for (const auto& other : observer.journal().find_reply(about.reply_id)) {
    if (other->about().id != about.id) siblings.push_back(other->about().id);
  }
  detail["siblings"] = std::move(siblings);
  OrderedJson chunks = OrderedJson::array();
  for (const PrefillChunk& chunk : record.chunks()) {
    chunks.push_back(chunk_json(chunk, about.received_ns));
  }
  const std::vector<int64_t> sampled_ns = record.sampled_ns();
  const RequestSummary summary = summary_of(record, observer.kv_block_tokens());
  detail["phases"] = phases_json(summary, observer.machine());
  detail["chunks"] = std::move(chunks);
  detail["tokens"] = {{"sampled_ms", times_json(sampled_ns, about.received_ns)},
                      {"sent_ms", times_json(record.sent_ns(), about.received_ns)},
                      {"not_kept", record.num_sampled() - static_cast<int64_t>(sampled_ns.size())}};
  detail["interference"] = blame_json(summary.interference);
  detail["interference_rest_ns"] = summary.interference.rest_ns;
  detail["waited_for"] = blame_json(summary.waited_for);
  detail["waited_for_rest_ns"] = summary.waited_for.rest_ns;
  return detail;
}

OrderedJson kv_json(const KvCounts& counts) {
  return {{"at_ms", ms_of(counts.at_ns)}, {"total", counts.total},   {"free", counts.free},
          {"cached", counts.cached},      {"in_use", counts.in_use}, {"shared", counts.shared}};
}

OrderedJson cost_model_json(const EngineObserver& observer) {
  const CostModel model = observer.cost_model();
  const MachineReport& machine = observer.machine();
  OrderedJson terms = OrderedJson::array();
  for (size_t i = 0; i < CostModel::kNumTerms; ++i) {
    terms.push_back({{"name", CostModel::kTermNames[i]},
                     {"unit", CostModel::kTermUnits[i]},
                     {"ns_per_unit", model.coefficients_ns()[i]}});
  }
  OrderedJson error = error_json(model.recent_error());
  error["by_kind"] = {{"decode", error_json(model.recent_error(StepKind::kDecode))},
                      {"prefill", error_json(model.recent_error(StepKind::kPrefill))},
                      {"mixed", error_json(model.recent_error(StepKind::kMixed))}};
  const auto count = [](double value) { return value > 0 ? OrderedJson(value) : OrderedJson(); };
  return {{"terms", std::move(terms)},
          {"observed_steps", model.num_observed()},
          {"error", std::move(error)},
          {"goal", {{"median", 0.05}, {"p95", 0.15}}},
          {"calibration",
           {{"steps", machine.calibration_steps}, {"ms", ms_of(machine.calibration_ns)}}},
          {"machine",
           {{"read_gigabytes_per_second", known(machine.limits.read_bytes_per_second, 1e9)},
            {"kernel_gmacs_per_second", known(machine.limits.macs_per_second, 1e9)},
            {"probe_ms", ms_of(machine.probe_ns)}}},
          {"model",
           {{"weight_bytes_per_step", machine.costs.weight_bytes_per_step},
            {"layer_macs_per_token", machine.costs.layer_macs_per_token},
            {"head_macs_per_row", machine.costs.head_macs_per_row},
            {"kv_bytes_per_key", count(machine.costs.kv_bytes_per_key)}}}};
}

}  // namespace twostroke

#include "server/metrics_text.h"

#include <fmt/format.h>

#include <array>

#include "server/metric_writer.h"

namespace twostroke {
namespace {

using Out = MetricWriter;
using From = const MetricSource;

double count(int64_t number) {
  return static_cast<double>(number);
}

void write_kv_blocks(Out& out, From& from) {
  out.value(count(from.kv.free), "state", "free");
  out.value(count(from.kv.cached), "state", "cached");
  out.value(count(from.kv.in_use), "state", "in_use");
}

void write_kv_usage(Out& out, From& from) {
  out.value(from.kv.total == 0 ? 0 : count(from.kv.in_use) / count(from.kv.total));
}

void write_cache_config(Out& out, From& from) {
  out.value_with(1, fmt::format("block_size=\"{}\",num_gpu_blocks=\"{}\"",
                                from.model.kv_block_tokens, from.model.num_kv_blocks));
}

void write_parts(Out& out, From& from) {
  constexpr std::array kParts = {"schedule", "forward", "sample", "publish"};
  static_assert(kParts.size() == Tallies::kNumParts);
  for (size_t i = 0; i < kParts.size(); ++i) {
    out.value_ns(from.tallies.parts_ns[i], "part", kParts[i]);
  }
}

void write_causes(Out& out, From& from) {
  for (int i = 0; i < kNumCauses; ++i) {
    out.value_ns(from.tallies.causes_ns[static_cast<size_t>(i)], "cause",
                 cause_name(static_cast<Cause>(i)));
  }
}

void write_ends(Out& out, From& from) {
  for (size_t i = 1; i < Tallies::kNumEnds; ++i) {
    out.value(count(from.tallies.ends[i]), "end", request_end_name(static_cast<RequestEnd>(i)));
  }
}

void write_reasons(Out& out, From& from) {
  for (size_t i = 1; i < Tallies::kNumReasons; ++i) {
    out.value(count(from.tallies.reasons[i]), "finish_reason",
              finish_reason_name(static_cast<FinishReason>(i)));
  }
}

void write_success(Out& out, From& from) {
  constexpr std::array kNames = {"stop", "length", "abort", "error"};
  static_assert(kNames.size() + 1 == Tallies::kNumReasons);
  for (size_t i = 0; i < kNames.size(); ++i) {
    out.value(count(from.tallies.reasons[i + 1]), "finished_reason", kNames[i]);
  }
}

// clang-format off
constexpr std::array kOwn = {
    MetricFamily{"twostroke_build_info", "gauge", "1; its label is the version",
                 [](Out& out, From&) { out.value(1, "version", TWOSTROKE_VERSION); }},
    MetricFamily{"twostroke_requests_running", "gauge", "Requests that are in the engine's steps",
                 [](Out& out, From& from) { out.value(from.stats.num_running); }},
    MetricFamily{"twostroke_requests_waiting", "gauge", "Requests that wait for their first step",
                 [](Out& out, From& from) { out.value(from.stats.num_waiting); }},
    MetricFamily{"twostroke_kv_blocks", "gauge", "KV blocks by state; they sum to the pool",
                 [](Out& out, From& from) { write_kv_blocks(out, from); }},
    MetricFamily{"twostroke_kv_block_tokens", "gauge", "Tokens that a KV block holds",
                 [](Out& out, From& from) { out.value(from.model.kv_block_tokens); }},
    MetricFamily{"twostroke_steps_total", "counter", "Steps of the engine",
                 [](Out& out, From& from) { out.value(count(from.stats.num_steps)); }},
    MetricFamily{"twostroke_step_seconds_total", "counter", "Time in steps, by part",
                 [](Out& out, From& from) { write_parts(out, from); }},
    MetricFamily{"twostroke_prompt_tokens_total", "counter",
                 "Tokens of prompts that were started, cached ones included",
                 [](Out& out, From& from) { out.value(count(from.stats.num_prompt_tokens)); }},
    MetricFamily{"twostroke_cached_prompt_tokens_total", "counter",
                 "Of these, tokens whose KV was there already",
                 [](Out& out, From& from) { out.value(count(from.stats.num_cached_tokens)); }},
    MetricFamily{"twostroke_output_tokens_total", "counter", "Tokens that were sampled",
                 [](Out& out, From& from) { out.value(count(from.stats.num_output_tokens)); }},
    MetricFamily{"twostroke_preemptions_total", "counter", "Requests that lost their KV to others",
                 [](Out& out, From& from) { out.value(count(from.stats.num_preemptions)); }},
    MetricFamily{"twostroke_requests_ended_total", "counter",
                 "Requests that are over, by how they ended",
                 [](Out& out, From& from) { write_ends(out, from); }},
    MetricFamily{"twostroke_requests_finished_total", "counter",
                 "The same requests, by why the engine was done with them",
                 [](Out& out, From& from) { write_reasons(out, from); }},
    MetricFamily{"twostroke_cause_seconds_total", "counter",
                 "Lives of requests that are over, by cause; they sum to request_seconds exactly",
                 [](Out& out, From& from) { write_causes(out, from); }},
    MetricFamily{"twostroke_request_seconds", "histogram", "Received to finished",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.life_ns); }},
    MetricFamily{"twostroke_intake_seconds", "histogram", "Received to queued",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.intake_ns); }},
    MetricFamily{"twostroke_queue_seconds", "histogram", "Queued to scheduled",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.queue_ns); }},
    MetricFamily{"twostroke_prefill_seconds", "histogram", "Scheduled to first token",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.prefill_ns); }},
    MetricFamily{"twostroke_decode_seconds", "histogram", "First token to last token",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.decode_ns); }},
    MetricFamily{"twostroke_delivery_seconds", "histogram", "Last token to finished",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.delivery_ns); }},
    MetricFamily{"twostroke_time_to_first_token_seconds", "histogram", "Received to first token",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.ttft_ns); }},
    MetricFamily{"twostroke_inter_token_latency_seconds", "histogram",
                 "One token to the next of a request, all tokens",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.inter_token_ns); }},
    MetricFamily{"twostroke_time_per_output_token_seconds", "histogram",
                 "Decode / (output tokens - 1), of requests with two tokens or more",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.tpot_ns); }},
    MetricFamily{"twostroke_request_prompt_tokens", "histogram", "Tokens of a request's prompt",
                 [](Out& out, From& from) { out.histogram(from.tallies.prompt_tokens); }},
    MetricFamily{"twostroke_request_output_tokens", "histogram", "Tokens of a request's answer",
                 [](Out& out, From& from) { out.histogram(from.tallies.output_tokens); }},
    MetricFamily{"twostroke_step_tokens", "histogram", "Tokens in a step, prefill and decode",
                 [](Out& out, From& from) { out.histogram(from.tallies.step_tokens); }},
};

constexpr std::array kVllm = {
    MetricFamily{"vllm:num_requests_running", "gauge", "twostroke_requests_running",
                 [](Out& out, From& from) { out.value(from.stats.num_running); }},
    MetricFamily{"vllm:num_requests_waiting", "gauge", "twostroke_requests_waiting",
                 [](Out& out, From& from) { out.value(from.stats.num_waiting); }},
    MetricFamily{"vllm:kv_cache_usage_perc", "gauge", "KV blocks in use of all, 0 to 1",
                 [](Out& out, From& from) { write_kv_usage(out, from); }},
    MetricFamily{"vllm:cache_config_info", "gauge", "1; its labels are the size of the KV pool",
                 [](Out& out, From& from) { write_cache_config(out, from); }},
    MetricFamily{"vllm:prompt_tokens_total", "counter", "twostroke_prompt_tokens_total",
                 [](Out& out, From& from) { out.value(count(from.stats.num_prompt_tokens)); }},
    MetricFamily{"vllm:generation_tokens_total", "counter", "twostroke_output_tokens_total",
                 [](Out& out, From& from) { out.value(count(from.stats.num_output_tokens)); }},
    MetricFamily{"vllm:prompt_tokens_cached_total", "counter",
                 "twostroke_cached_prompt_tokens_total",
                 [](Out& out, From& from) { out.value(count(from.stats.num_cached_tokens)); }},
    MetricFamily{"vllm:prefix_cache_queries_total", "counter",
                 "Tokens that were looked up: twostroke_prompt_tokens_total",
                 [](Out& out, From& from) { out.value(count(from.stats.num_prompt_tokens)); }},
    MetricFamily{"vllm:prefix_cache_hits_total", "counter",
                 "Tokens that were found: twostroke_cached_prompt_tokens_total",
                 [](Out& out, From& from) { out.value(count(from.stats.num_cached_tokens)); }},
    MetricFamily{"vllm:num_preemptions_total", "counter", "twostroke_preemptions_total",
                 [](Out& out, From& from) { out.value(count(from.stats.num_preemptions)); }},
    MetricFamily{"vllm:request_success_total", "counter",
                 "twostroke_requests_finished_total, in vLLM's words",
                 [](Out& out, From& from) { write_success(out, from); }},
    MetricFamily{"vllm:time_to_first_token_seconds", "histogram",
                 "twostroke_time_to_first_token_seconds",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.ttft_ns); }},
    MetricFamily{"vllm:inter_token_latency_seconds", "histogram",
                 "twostroke_inter_token_latency_seconds",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.inter_token_ns); }},
    MetricFamily{"vllm:request_time_per_output_token_seconds", "histogram",
                 "twostroke_time_per_output_token_seconds",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.tpot_ns); }},
    MetricFamily{"vllm:e2e_request_latency_seconds", "histogram", "twostroke_request_seconds",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.life_ns); }},
    MetricFamily{"vllm:request_queue_time_seconds", "histogram", "twostroke_queue_seconds",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.queue_ns); }},
    MetricFamily{"vllm:request_inference_time_seconds", "histogram", "Scheduled to last token",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.inference_ns); }},
    MetricFamily{"vllm:request_prefill_time_seconds", "histogram", "twostroke_prefill_seconds",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.prefill_ns); }},
    MetricFamily{"vllm:request_decode_time_seconds", "histogram", "twostroke_decode_seconds",
                 [](Out& out, From& from) { out.histogram_ns(from.tallies.decode_ns); }},
    MetricFamily{"vllm:request_prompt_tokens", "histogram", "twostroke_request_prompt_tokens",
                 [](Out& out, From& from) { out.histogram(from.tallies.prompt_tokens); }},
    MetricFamily{"vllm:request_generation_tokens", "histogram", "twostroke_request_output_tokens",
                 [](Out& out, From& from) { out.histogram(from.tallies.output_tokens); }},
    MetricFamily{"vllm:request_params_max_tokens", "histogram",
                 "Most tokens that a request could get",
                 [](Out& out, From& from) { out.histogram(from.tallies.max_tokens); }},
    MetricFamily{"vllm:iteration_tokens_total", "histogram", "twostroke_step_tokens",
                 [](Out& out, From& from) { out.histogram(from.tallies.step_tokens); }},
};
// clang-format on

}  // namespace

std::span<const MetricFamily> own_metrics() {
  return kOwn;
}

std::span<const MetricFamily> vllm_metrics() {
  return kVllm;
}

std::string metrics_text(const ServerContext& context, bool with_vllm_names) {
  const EngineObserver& observer = context.engine.observer();
  const ModelInfo& model = context.model.info();
  const MetricSource source{context.engine.stats(), observer.kv(), observer.tallies(), model};
  MetricWriter out(fmt::format("model_name=\"{}\",engine=\"0\"", escape_label(model.id)));
  const auto write = [&](std::span<const MetricFamily> families) {
    for (const MetricFamily& family : families) {
      out.begin(family.name, family.type, family.help);
      family.write(out, source);
    }
  };
  write(own_metrics());
  if (with_vllm_names) write(vllm_metrics());
  return out.take();
}

}  // namespace twostroke

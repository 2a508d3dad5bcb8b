#include "phases/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "phases/explain_prompt.h"

namespace twostroke {
namespace {

// What is smaller than this stands out to nobody.
constexpr int64_t kSmallNs = 5'000'000;
constexpr int64_t kSmallIntakeNs = 20'000'000;
constexpr int64_t kSmallDeliveryNs = 50'000'000;
constexpr double kShare = 0.10;
constexpr double kOverheadShare = 0.25;  // of what every request has some of
constexpr double kFarBelow = 35;         // percent of the bandwidth

double ms(int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

std::string known_by_ledger(const char* causes) {
  return fmt::format("measured: booked as {}", causes);
}

std::string list_of(const std::vector<Culprit>& culprits) {
  std::string out;
  for (const Culprit& culprit : culprits) {
    out += fmt::format("{}request {} ({}, {:.0f} ms)", out.empty() ? "" : ", ", culprit.request,
                       culprit.phase, ms(culprit.ns));
  }
  return out.empty() ? out : ": " + out;
}

std::vector<Culprit> of_phase(const std::vector<Culprit>& culprits, bool prefill) {
  std::vector<Culprit> out;
  for (const Culprit& culprit : culprits) {
    if ((culprit.phase == "decode") != prefill) out.push_back(culprit);
  }
  return out;
}

class Explainer {
 public:
  Explainer(const ExplainInput& input, const ExplainTargets& targets)
      : input_(input), targets_(targets) {}

  Verdict run() {
    verdict_.targets = targets_;
    add_waiting();
    for (Finding& finding : findings_of_prompt(input_)) add(std::move(finding));
    add_decode();
    if (verdict_.findings.empty()) add_limits_as_findings();
    std::ranges::stable_sort(verdict_.findings, std::greater<>{}, &Finding::gain_ns);
    describe_limits();
    verdict_.headline = headline();
    return std::move(verdict_);
  }

 private:
  int64_t ttft_ns() const { return input_.intervals.ttft_ns; }
  int64_t rest_ns() const { return input_.intervals.decode_ns + input_.intervals.delivery_ns; }
  int num_gaps() const { return std::max(0, input_.num_output_tokens - 1); }

  void add(Finding finding) {
    const int64_t whole = finding.is_ttft ? ttft_ns() : rest_ns();
    finding.share = whole > 0 ? double(finding.gain_ns) / double(whole) : 0;
    verdict_.findings.push_back(std::move(finding));
  }
  // Adds it when it is big enough, by itself and beside its phase.
  void consider(Finding finding, int64_t small_ns, double share) {
    const int64_t whole = finding.is_ttft ? ttft_ns() : rest_ns();
    if (finding.gain_ns < small_ns || double(finding.gain_ns) < share * double(whole)) return;
    add(std::move(finding));
  }

  void add_waiting();
  void add_decode();
  void add_kv_pressure();
  void add_limits_as_findings();
  void describe_limits();
  std::string headline() const;

  const ExplainInput& input_;
  ExplainTargets targets_;
  Verdict verdict_;
};

void Explainer::add_waiting() {
  Finding queue;
  queue.lever = Lever::kQueueing;
  queue.is_ttft = true;
  queue.gain_ns = input_.of(Cause::kWaitTurn);
  queue.culprits = of_phase(input_.waited_for, true);
  queue.title = "it waited for earlier prompts";
  queue.detail =
      fmt::format("{:.0f} ms in the queue{}", ms(queue.gain_ns), list_of(queue.culprits));
  queue.advice =
      "send long prompts elsewhere or later, give this one a higher priority, or shorten those "
      "prompts";
  queue.known_by = known_by_ledger("wait_turn");
  consider(std::move(queue), kSmallNs, kShare);

  Finding limit;
  limit.lever = Lever::kBatchLimit;
  limit.is_ttft = true;
  limit.gain_ns = input_.of(Cause::kWaitBatch);
  limit.title = "as many requests were running as may run";
  limit.detail = fmt::format("{:.0f} ms until one of them ended", ms(limit.gain_ns));
  limit.advice = "raise --max-running, or send fewer requests at once";
  limit.known_by = known_by_ledger("wait_batch");
  consider(std::move(limit), kSmallNs, kShare);

  Finding batching;
  batching.lever = Lever::kPrefillBatching;
  batching.is_ttft = true;
  batching.gain_ns = input_.of(Cause::kPrefillOthers);
  batching.culprits = input_.interference;
  batching.title = "others were computed in the steps of its prefill";
  batching.detail = fmt::format("{:.0f} ms for other requests' tokens in the same steps{}",
                                ms(batching.gain_ns), list_of(batching.culprits));
  batching.advice = "send fewer requests at once, or use a smaller --max-step-tokens";
  batching.known_by =
      "estimated: measured steps, split by the cost model" + cost_model_record(input_.cost_model);
  consider(std::move(batching), kSmallNs, kShare);

  Finding cold;
  cold.lever = Lever::kColdStart;
  cold.is_ttft = true;
  cold.gain_ns = input_.of(Cause::kWaitModel);
  cold.title = "the model was still loading";
  cold.detail = fmt::format("{:.0f} ms until it could answer", ms(cold.gain_ns));
  cold.advice = "start the server before it is needed, and ask /health whether it is ready";
  cold.known_by = known_by_ledger("wait_model");
  consider(std::move(cold), kSmallNs, kShare);

  Finding intake;
  intake.lever = Lever::kIntake;
  intake.is_ttft = true;
  intake.gain_ns =
      input_.of(Cause::kParse) + input_.of(Cause::kTemplate) + input_.of(Cause::kTokenize);
  intake.title = "reading the request took long";
  intake.detail = fmt::format("parse {:.0f} ms, template {:.0f} ms, tokens {:.0f} ms",
                              ms(input_.of(Cause::kParse)), ms(input_.of(Cause::kTemplate)),
                              ms(input_.of(Cause::kTokenize)));
  intake.advice = "send the request in one piece, and a smaller body";
  intake.known_by = known_by_ledger("parse, template, tokenize");
  consider(std::move(intake), kSmallIntakeNs, kShare);
  add_kv_pressure();
}

void Explainer::add_kv_pressure() {
  const int64_t waited = input_.of(Cause::kWaitKv);
  const int64_t preempted = input_.of(Cause::kPreempted);
  Finding finding;
  finding.lever = Lever::kKvPressure;
  finding.is_ttft = waited > preempted;
  finding.gain_ns = waited + preempted;
  finding.title = "there was too little KV memory";
  finding.detail = fmt::format(
      "{:.0f} ms waiting for blocks, {:.0f} ms after it lost its own ({} preemption{})", ms(waited),
      ms(preempted), input_.num_preemptions, input_.num_preemptions == 1 ? "" : "s");
  finding.advice = "raise --kv-memory, lower --max-running, or shorten prompts and answers";
  finding.known_by = known_by_ledger("wait_kv, preempted");
  consider(std::move(finding), kSmallNs, kShare);
}

void Explainer::add_decode() {
  const std::string estimated =
      "estimated: measured steps, split by the cost model" + cost_model_record(input_.cost_model);
  Finding interference;
  interference.lever = Lever::kInterference;
  interference.gain_ns = input_.of(Cause::kDecodePrefill);
  interference.culprits = of_phase(input_.interference, true);
  interference.title = "prompts of others were read in the steps of its decode";
  interference.detail = fmt::format("{:.0f} ms of {:.0f} ms of decode{}", ms(interference.gain_ns),
                                    ms(input_.intervals.decode_ns), list_of(interference.culprits));
  interference.advice =
      "set a step latency target, lower --max-step-tokens, or read long prompts on another server";
  interference.known_by = estimated;
  consider(std::move(interference), kSmallNs, kShare);

  Finding batch;
  batch.lever = Lever::kDecodeBatch;
  batch.gain_ns = input_.of(Cause::kDecodeBatch);
  batch.culprits = of_phase(input_.interference, false);
  batch.title = "it decoded together with others";
  batch.detail = fmt::format("{:.0f} ms of {:.0f} ms of decode{}", ms(batch.gain_ns),
                             ms(input_.intervals.decode_ns), list_of(batch.culprits));
  batch.advice = "lower --max-running for faster answers, at the price of fewer at once";
  batch.known_by = estimated;
  consider(std::move(batch), kSmallNs, kShare);

  Finding sampling;
  sampling.lever = Lever::kSampling;
  sampling.gain_ns = input_.of(Cause::kSample);
  sampling.title = "choosing tokens took long";
  sampling.detail =
      fmt::format("{:.0f} ms of sampling, grammar and logprobs", ms(sampling.gain_ns));
  sampling.advice = "ask for fewer logprobs, a simpler grammar, or a smaller top_k";
  sampling.known_by = known_by_ledger("sample");
  consider(std::move(sampling), kSmallNs, kOverheadShare);

  Finding client;
  client.lever = Lever::kSlowClient;
  client.gain_ns = input_.of(Cause::kClient);
  client.title = "the client took the answer slowly";
  client.detail =
      fmt::format("{:.0f} ms after the last token until it had all of it", ms(client.gain_ns));
  client.advice = "read the response as it comes; look at the network and at proxies that buffer";
  client.known_by = known_by_ledger("client");
  consider(std::move(client), kSmallDeliveryNs, kShare);
}

// Nothing that others or the prompt did: then it is slow only if the machine is, for what is asked.
void Explainer::add_limits_as_findings() {
  const double tpot_ns = num_gaps() > 0 ? double(input_.of(Cause::kDecodeOwn)) / num_gaps() : 0;
  const double target_ns = targets_.tpot_ms * 1e6;
  const double floor_ns = tpot_ns * input_.decode_percent_of_bandwidth / 100;
  if (tpot_ns > target_ns && floor_ns > 0) {
    Finding finding;
    const bool too_big = floor_ns >= target_ns;
    const bool far_below = input_.decode_percent_of_bandwidth < kFarBelow;
    finding.lever = too_big || !far_below ? Lever::kBandwidth : Lever::kBusyMachine;
    finding.gain_ns = static_cast<int64_t>((tpot_ns - target_ns) * num_gaps());
    finding.detail = fmt::format(
        "{:.1f} ms a token at {:.0f} % of the measured bandwidth; reading the weights once takes "
        "{:.1f} ms, the target is {:.1f} ms",
        tpot_ns / 1e6, input_.decode_percent_of_bandwidth, floor_ns / 1e6, targets_.tpot_ms);
    finding.known_by =
        "estimated: what reaching the target would save; the bandwidth was measured at start";
    if (finding.lever == Lever::kBandwidth) {
      finding.title = "the model is too big for this machine's memory bandwidth";
      finding.advice = fmt::format(
          "a model or quantisation with at most {:.0f} % of the bytes, or a machine with more "
          "bandwidth",
          100 * std::min(1.0, target_ns / tpot_ns));
    } else {
      finding.title = "decode ran far below what the memory gives";
      finding.advice = "look at what else uses the machine, and try --threads";
    }
    add(std::move(finding));
  }
  const double ttft_target_ns = targets_.ttft_ms * 1e6;
  const auto own = static_cast<double>(input_.of(Cause::kPrefillOwn));
  if (double(ttft_ns()) > ttft_target_ns && own > 0.5 * double(ttft_ns())) {
    Finding finding;
    finding.lever = Lever::kCompute;
    finding.is_ttft = true;
    finding.gain_ns = static_cast<int64_t>(double(ttft_ns()) - ttft_target_ns);
    finding.title = "reading the prompt is what this machine can do";
    finding.detail = fmt::format("{} tokens in {:.0f} ms of its own work",
                                 input_.num_prompt_tokens - input_.num_cached_tokens, own / 1e6);
    finding.advice = "a shorter prompt, a smaller model, or more cores";
    finding.known_by = "estimated: what reaching the target would save";
    add(std::move(finding));
  }
}

void Explainer::describe_limits() {
  if (input_.prefill_percent_of_peak > 0) {
    verdict_.prefill_limit = fmt::format("prefill ran at {:.0f} % of the measured compute peak",
                                         input_.prefill_percent_of_peak);
  }
  const double tpot_ns = num_gaps() > 0 ? double(input_.of(Cause::kDecodeOwn)) / num_gaps() : 0;
  if (input_.decode_percent_of_bandwidth > 0 && tpot_ns > 0) {
    const double floor_ms = tpot_ns * input_.decode_percent_of_bandwidth / 1e8;
    verdict_.decode_limit = fmt::format(
        "decode ran at {:.0f} % of the measured memory bandwidth, which allows {:.1f} ms a token "
        "({:.0f} tokens/s)",
        input_.decode_percent_of_bandwidth, floor_ms, 1e3 / floor_ms);
  }
}

std::string Explainer::headline() const {
  const double tpot_ms = input_.intervals.tpot_ns / 1e6;
  std::string numbers = fmt::format("TTFT {:.0f} ms", ms(ttft_ns()));
  if (tpot_ms > 0) numbers += fmt::format(", {:.1f} ms a token", tpot_ms);
  if (verdict_.findings.empty()) return fmt::format("{}: nothing stands out", numbers);
  const Finding& top = verdict_.findings.front();
  return fmt::format("{}: {} ({:.0f} ms, {:.0f} % of {})", numbers, top.title, ms(top.gain_ns),
                     100 * top.share, top.is_ttft ? "TTFT" : "the time after the first token");
}

}  // namespace

Verdict explain(const ExplainInput& input, const ExplainTargets& targets) {
  return Explainer(input, targets).run();
}

std::string verdict_text(const Verdict& verdict) {
  std::string out = verdict.headline + '\n';
  int number = 0;
  for (const Finding& finding : verdict.findings) {
    out += fmt::format(
        "\n{}. {} [{}]\n   would gain {:.0f} ms ({:.0f} % of {})\n   {}\n   {}\n   {}\n", ++number,
        finding.title, lever_name(finding.lever), ms(finding.gain_ns), 100 * finding.share,
        finding.is_ttft ? "TTFT" : "the time after it", finding.detail, finding.known_by,
        "-> " + finding.advice);
  }
  if (!verdict.prefill_limit.empty() || !verdict.decode_limit.empty()) out += '\n';
  for (const std::string& limit : {verdict.prefill_limit, verdict.decode_limit}) {
    if (!limit.empty()) out += limit + '\n';
  }
  return out;
}

}  // namespace twostroke

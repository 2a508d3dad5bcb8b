#include "measure/outside/outside_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace twostroke {
namespace {

std::string with_interval(const OutsideEstimate& estimate, const char* format) {
  std::string text = fmt::format(fmt::runtime(format), estimate.value);
  if (!estimate.interval) return text;
  return fmt::format("{} [{}, {}]", text, fmt::format(fmt::runtime(format), estimate.interval->low),
                     fmt::format(fmt::runtime(format), estimate.interval->high));
}

void say(OutsideReport& report, std::string text, const char* known_by) {
  report.findings.push_back({std::move(text), known_by});
}

void say_prefill(OutsideReport& report) {
  if (!report.prefill) return;
  const LineFit& line = *report.prefill;
  say(report,
      fmt::format("Prefill: TTFT = {} ms + {} ms per prompt token ({:.0f} tokens/s).",
                  with_interval(line.fixed, "{:.1f}"), with_interval(line.slope, "{:.4f}"),
                  line.slope.value > 0 ? 1e3 / line.slope.value : 0.0),
      "measured");
  if (line.bend > 1.5) {
    say(report,
        fmt::format("Long prompts cost more per token: the last step of the sweep {:.1f} times the "
                    "first, as attention over a growing context does.",
                    line.bend),
        "measured");
  } else if (line.bend < 0.67) {
    say(report,
        fmt::format("Short prompts cost more per token: the last step of the sweep is {:.2f} times "
                    "the first. Small prompts do not fill the machine.",
                    line.bend),
        "measured");
  }
}

void say_overhead(OutsideReport& report) {
  if (report.overhead_ms) {
    say(report,
        fmt::format("Of TTFT, {} ms are not what the server calls prefill: queue, template, "
                    "tokenizing, network.",
                    with_interval(*report.overhead_ms, "{:.1f}")),
        "told by the server");
  }
  if (report.round_trip_ms) {
    say(report,
        fmt::format("A request that computes nothing takes {:.2f} ms: network and HTTP are at most "
                    "that.",
                    *report.round_trip_ms),
        "measured");
  }
}

void say_decode(OutsideReport& report) {
  if (!report.decode) return;
  const LineFit& line = *report.decode;
  say(report,
      fmt::format("Decode: {} ms per token alone ({:.1f} tokens/s).",
                  with_interval(line.slope, "{:.3f}"),
                  line.slope.value > 0 ? 1e3 / line.slope.value : 0.0),
      "measured");
  if (report.tokens_per_chunk > 1.2) {
    say(report,
        fmt::format("It sends {:.1f} tokens at a time: a reader sees jerks of {:.0f} ms, and TTFT "
                    "contains the decode of the first chunk's other tokens.",
                    report.tokens_per_chunk, report.tokens_per_chunk * line.slope.value),
        "measured");
  }
}

void say_cache(OutsideReport& report) {
  const std::string told =
      report.cached_share ? fmt::format(" It says that {:.0f} % of the tokens came from its cache.",
                                        100 * *report.cached_share)
                          : std::string();
  const char* known_by = report.cached_share ? "told by the server" : "inferred";
  const double saved = report.cache_saves ? 100 * report.cache_saves->value : 0;
  if (report.cache == CacheAnswer::kReuses) {
    say(report,
        fmt::format("It reuses prompts: the same prompt again saves {:.0f} % of TTFT.{} Put what "
                    "does not change first.",
                    saved, told),
        known_by);
  } else if (report.cache == CacheAnswer::kDoesNot) {
    say(report,
        fmt::format(
            "It does not reuse prompts: the same prompt again takes as long ({:+.0f} %).{} A "
            "prefix cache would save most of the prefill of repeated prompts.",
            -saved, told),
        known_by);
  } else if (report.cache_saves) {
    say(report, "Whether it reuses prompts cannot be told from the noise; more rounds may." + told,
        known_by);
  }
}

void say_concurrency(OutsideReport& report) {
  if (report.concurrency.size() < 2) return;
  const auto& alone = report.concurrency.front();
  const auto& most = report.concurrency.back();
  if (alone.concurrency != 1 || !(alone.output_tokens_per_s > 0) || !(alone.tpot_ms > 0)) return;
  const double gain = most.output_tokens_per_s / alone.output_tokens_per_s;
  say(report,
      fmt::format("{} at once: {:.1f} times the tokens per second of one alone; each token takes "
                  "{:.1f} times as long, the first {:.1f} times.",
                  most.concurrency, gain, most.tpot_ms / alone.tpot_ms,
                  most.ttft_ms / alone.ttft_ms),
      "measured");
  if (report.slots > 0) {
    say(report,
        fmt::format("It serves about {} at once; the others wait until one is done. More slots "
                    "would trade their wait for slower tokens.",
                    report.slots),
        "inferred");
  } else if (gain < 1.2) {
    say(report,
        "All began before the first was done, and nothing was gained: it shares its time rather "
        "than batching.",
        "inferred");
  }
}

}  // namespace

void add_outside_findings(OutsideReport& report) {
  say_prefill(report);
  say_decode(report);
  say_cache(report);
  say_concurrency(report);
  say_overhead(report);
  if (!report.overhead_ms) {
    report.unknown.emplace_back(
        "how TTFT divides into queue, template and tokenizing, and prefill: the server does not "
        "say, "
        "and the fixed cost above holds all of it");
  }
  report.unknown.emplace_back(
      "who else used the server meanwhile: other clients' requests look like slowness");
  report.unknown.emplace_back(
      "what a token of this request cost beside others in its step: only the server sees its "
      "steps");
  report.unknown.emplace_back(
      "memory: how full its KV cache is, and whether requests were evicted and computed again");
  if (report.cache != CacheAnswer::kReuses) {
    report.unknown.emplace_back("how much a prefix cache holds and for how long");
  }
}

}  // namespace twostroke

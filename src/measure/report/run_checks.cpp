#include "measure/report/run_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace twostroke {
namespace {

constexpr double kLeastLagMs = 10;
constexpr double kLagShare = 0.01;  // of the median TTFT
constexpr double kMostCpu = 0.8;    // of one core
constexpr double kColdHitRate = 0.01;
constexpr double kLengthShare = 0.05;

class Checker {
 public:
  Checker(const LoadConfig& config, const LoadResult& result, const LoadSummary& summary)
      : config_(config), result_(result), summary_(summary) {}

  std::vector<RunCheck> run() {
    completeness();
    client();
    output_lengths();
    prompt_lengths();
    cache();
    tokens();
    arrivals();
    return std::move(found_);
  }

 private:
  template <typename... Args>
  void add(CheckLevel level, const char* name, fmt::format_string<Args...> format, Args&&... args) {
    found_.push_back({level, name, fmt::format(format, std::forward<Args>(args)...)});
  }

  void completeness() {
    if (result_.stopped) {
      add(CheckLevel::kWarning, "stopped",
          "stopped before the end: what was in flight counts as failed");
    }
    if (summary_.completed == 0) {
      add(CheckLevel::kInvalid, "failures", "no request was answered: {}", summary_.first_error);
    } else if (summary_.failed > 0) {
      std::string kinds;
      for (const auto& [kind, count] : summary_.failures) {
        kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
      }
      add(CheckLevel::kWarning, "failures",
          "{} of {} requests failed ({}); in percentiles they take forever. The first: {}",
          summary_.failed, summary_.planned, kinds, summary_.first_error);
    }
  }

  // p99 of how late the client was with what it may send at once.
  double send_lag_p99_ms() const {
    std::vector<double> lags;
    for (const ClientRecord& record : result_.records) {
      if (record.sent_ns >= 0) {
        lags.push_back(static_cast<double>(record.sent_ns - record.released_ns) / 1e6);
      }
    }
    return lags.empty() ? 0 : quantile(lags, 0.99);
  }

  void client() {
    double limit_ms = kLeastLagMs;
    if (std::isfinite(summary_.ttft.median)) {
      limit_ms = std::max(limit_ms, kLagShare * summary_.ttft.median);
    }
    const double lag_ms = send_lag_p99_ms();
    const double loop_ms = result_.client.loop_lag_p99_ms;
    if (lag_ms > limit_ms || loop_ms > limit_ms) {
      add(CheckLevel::kInvalid, "client_lag",
          "the client could not keep up: it sent {:.1f} ms late and read {:.1f} ms late (p99); the "
          "limit is {:.1f} ms. Give it a core of its own",
          lag_ms, loop_ms, limit_ms);
    }
    if (result_.client.cpu_fraction > kMostCpu) {
      add(CheckLevel::kWarning, "client_cpu",
          "the client used {:.0f} % of a core: it may be what limits the rate",
          100 * result_.client.cpu_fraction);
    }
  }

  void output_lengths() {
    if (config_.plain_openai || !config_.ignore_eos) return;
    int off = 0;
    const ClientRecord* example = nullptr;
    for (const ClientRecord& record : result_.records) {
      if (!record.ok()) continue;
      const int difference = std::abs(record.output_tokens - record.requested_output_tokens);
      if (difference <= std::max(1.0, kLengthShare * record.requested_output_tokens)) continue;
      ++off;
      example = &record;
    }
    if (off == 0) return;
    add(CheckLevel::kInvalid, "output_length",
        "{} of {} answers do not have the length that was asked for (request {}: {} tokens for "
        "{}); "
        "the server may not know ignore_eos",
        off, summary_.completed, example->index, example->output_tokens,
        example->requested_output_tokens);
  }

  void prompt_lengths() {
    int off = 0;
    int known = 0;
    const ClientRecord* example = nullptr;
    for (const ClientRecord& record : result_.records) {
      if (!record.ok() || record.prompt_tokens < 0 || record.planned_prompt_tokens == 0) continue;
      ++known;
      const int difference = std::abs(record.prompt_tokens - record.planned_prompt_tokens);
      if (difference <= std::max(1.0, kLengthShare * record.planned_prompt_tokens)) continue;
      ++off;
      example = &record;
    }
    if (off > 0) {
      add(CheckLevel::kWarning, "prompt_length",
          "{} of {} prompts are not as long as planned (request {}: {} tokens for {}); lengths "
          "were found by: {}",
          off, known, example->index, example->prompt_tokens, example->planned_prompt_tokens,
          result_.server.length_method);
    }
    if (result_.server.length_method == "assumed") {
      add(CheckLevel::kWarning, "token_counts",
          "the server has neither /tokenize nor usage: a word is assumed to be a token, and a "
          "chunk too");
    }
  }

  void cache() {
    if (config_.workload.cache != CacheMode::kCold || summary_.input_tokens == 0 ||
        config_.workload.kind == WorkloadKind::kTrace) {
      return;
    }
    const double rate = static_cast<double>(std::max<int64_t>(0, summary_.cached_tokens)) /
                        static_cast<double>(summary_.input_tokens);
    if (rate >= kColdHitRate) {
      add(CheckLevel::kWarning, "cache",
          "{:.1f} % of the prompt tokens came from the prefix cache, though the prompts are meant "
          "to be cold",
          100 * rate);
    }
  }

  void tokens() {
    int whole = 0;
    int spread = 0;
    for (const ClientRecord& record : result_.records) {
      if (!record.ok()) continue;
      whole += record.streamed ? 0 : 1;
      spread += record.token_source == TokenSource::kSpread ? 1 : 0;
    }
    if (whole > 0) {
      add(CheckLevel::kWarning, "streaming",
          "{} answers came whole: the server does not stream, so there is no TTFT, TPOT or ITL",
          whole);
    }
    if (spread > 0) {
      add(CheckLevel::kWarning, "chunks",
          "{} answers have {:.1f} tokens a chunk and the server does not say which: TPOT and ITL "
          "are estimates that spread them evenly",
          spread, summary_.tokens_per_chunk);
    }
  }

  void arrivals() {
    const ArrivalConfig& arrival = config_.arrival;
    if (arrival.kind == ArrivalKind::kClosedLoop) {
      if (arrival.concurrency > 1 && arrival.ramp_s <= 0) {
        add(CheckLevel::kNote, "burst",
            "the first {} requests came at once, and their TTFT is that of a burst; --ramp spreads "
            "them",
            arrival.concurrency);
      }
      return;
    }
    if (summary_.client_queue.count > 0 && arrival.max_in_flight > 0 &&
        summary_.client_queue.percentile(0.99) > kLeastLagMs) {
      add(CheckLevel::kNote, "held",
          "requests waited in the client for the limit of {} in flight (p99 {:.0f} ms); "
          "*_from_schedule has it",
          arrival.max_in_flight, summary_.client_queue.percentile(0.99));
    }
    int64_t last_due_ns = 0;
    for (const ClientRecord& record : result_.records) {
      last_due_ns = std::max(last_due_ns, record.scheduled_ns);
    }
    const double span_s = static_cast<double>(last_due_ns) / 1e9;
    const double tail_s = summary_.duration_s - span_s;
    if (span_s > 0 && std::isfinite(summary_.e2el.median) &&
        tail_s > std::max(0.25 * span_s, 3 * summary_.e2el.median / 1e3)) {
      add(CheckLevel::kWarning, "overload",
          "requests came for {:.1f} s and took {:.1f} s more to be answered: the server could not "
          "keep up with this rate",
          span_s, tail_s);
    }
  }

  const LoadConfig& config_;
  const LoadResult& result_;
  const LoadSummary& summary_;
  std::vector<RunCheck> found_;
};

}  // namespace

std::vector<RunCheck> check_run(const LoadConfig& config, const LoadResult& result,
                                const LoadSummary& summary) {
  return Checker(config, result, summary).run();
}

bool is_invalid(const std::vector<RunCheck>& checks) {
  return std::any_of(checks.begin(), checks.end(),
                     [](const RunCheck& check) { return check.level == CheckLevel::kInvalid; });
}

const char* check_level_name(CheckLevel level) {
  switch (level) {
    case CheckLevel::kNote:
      return "note";
    case CheckLevel::kWarning:
      return "warning";
    case CheckLevel::kInvalid:
      break;
  }
  return "invalid";
}

}  // namespace twostroke

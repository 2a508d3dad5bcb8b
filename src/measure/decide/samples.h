// What a comparison is made from: requests as plain numbers, a run of them, and blocks of two runs
// under the same load. Where they came from (a live server, a file, the history) does not matter
// here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace twostroke {

// Milliseconds. A failed request takes forever: +infinity everywhere. NaN: it has no such time (the
// TPOT of one token).
struct RequestSample {
  bool ok = true;
  double ttft_ms = 0;
  double tpot_ms = 0;
  double e2el_ms = 0;
  int64_t prompt_tokens = -1;  // -1: unknown
  int64_t cached_tokens = -1;
  int64_t output_tokens = 0;
  uint64_t text_hash = 0;      // of the answer; 0: not kept
  std::vector<double> itl_ms;  // gaps between its tokens
};

struct ArmRun {
  std::vector<RequestSample> requests;
  double duration_s = 0;
};

struct Block {
  ArmRun a;
  ArmRun b;
  bool a_first = true;
  uint64_t seed = 0;  // of prompts, lengths and arrivals, the same for both
};

// One number per run.
enum class Metric {
  kTtftP50,
  kTtftP95,
  kTtftMean,
  kTpotMean,  // over requests, not tokens
  kTpotP95,
  kItlP99,  // over all tokens
  kWorstStall,
  kE2elP50,
  kE2elP95,
  kOutputTokensPerS,
};
constexpr int kNumMetrics = 10;

struct MetricTraits {
  const char* key;   // "ttft_p50_ms"
  const char* name;  // "TTFT p50"
  const char* unit;  // "ms"
  bool lower_is_better;
};
const MetricTraits& traits_of(Metric metric);

// NaN when the run cannot have it (no request of two tokens has no TPOT); +infinity when failures
// reach that far.
double run_statistic(const ArmRun& run, Metric metric);

// ln(B / A) of each block; empty unless both are positive and finite in every block.
std::vector<double> log_ratios(std::span<const Block> blocks, Metric metric);

int64_t count_failed(const ArmRun& run);

}  // namespace twostroke

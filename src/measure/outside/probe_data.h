// What was seen of a server from outside: plain numbers, in rounds. A round sends every size once,
// so that rounds are alike and their spread is the noise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace twostroke {

struct PromptPoint {
  int64_t prompt_tokens = 0;
  double ttft_ms = 0;
  double told_prefill_ms = -1;  // by the server; -1: it does not say
};

struct OutputPoint {
  int64_t output_tokens = 0;
  int64_t chunks = 0;    // that brought tokens
  double decode_ms = 0;  // first token to last
};

// One prompt sent twice.
struct CachePair {
  int64_t prompt_tokens = 0;
  double first_ms = 0;  // TTFT
  double again_ms = 0;
  int64_t again_cached_tokens = -1;  // told by the server; -1: it does not say
};

// So many requests sent at once.
struct Burst {
  int concurrency = 1;
  std::vector<double> ttft_ms;
  std::vector<double> e2el_ms;
  std::vector<double> tpot_ms;
  double output_tokens_per_s = 0;
};

struct ProbeData {
  std::string url;
  std::string model;
  std::string software;                           // as it shows itself; empty: it does not
  std::vector<double> round_trip_ms;              // of a request that computes nothing
  std::vector<std::vector<PromptPoint>> prompts;  // [round][size]
  std::vector<std::vector<OutputPoint>> outputs;  // [round][size]
  std::vector<CachePair> cache;
  std::vector<std::vector<Burst>> bursts;  // [round][concurrency]
  std::vector<std::string> problems;       // probes that gave nothing, and why
};

}  // namespace twostroke

// What can be known about a server from outside, how it is known, and what cannot be.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "measure/outside/probe_data.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {

struct OutsideEstimate {
  double value = 0;
  std::optional<Interval> interval;  // 95 % over rounds; nothing with one round
};

// y = fixed + slope x, fitted in each round by itself.
struct LineFit {
  OutsideEstimate fixed;
  OutsideEstimate slope;
  // Slope between the two largest sizes over that between the two smallest; 1: straight.
  double bend = 1;
};
struct XY {
  double x = 0;
  double y = 0;
};
// Relative least squares per round. Nothing without two different sizes in every round.
std::optional<LineFit> fit_rounds(const std::vector<std::vector<XY>>& rounds);

enum class CacheAnswer { kUndecided, kReuses, kDoesNot };

struct OutsideReport {
  std::string url, model, software;
  std::optional<double> round_trip_ms;         // median
  std::optional<LineFit> prefill;              // ms against prompt tokens
  std::optional<OutsideEstimate> overhead_ms;  // TTFT beyond what the server calls prefill
  std::optional<LineFit> decode;               // ms against output tokens after the first
  double tokens_per_chunk = 0;                 // 0: unknown
  CacheAnswer cache = CacheAnswer::kUndecided;
  std::optional<OutsideEstimate> cache_saves;  // share of TTFT that a second sending saves
  std::optional<double> cached_share;          // of its tokens, told by the server
  struct AtConcurrency {
    int concurrency = 1;
    double ttft_ms = 0;  // medians over rounds and requests
    double tpot_ms = 0;
    double output_tokens_per_s = 0;
    int served_at_once = 0;  // began before the first of the burst was done
  };
  std::vector<AtConcurrency> concurrency;
  int slots = 0;  // requests served at once, when fewer than were sent; 0: all that were sent

  struct Finding {
    std::string text;
    std::string known_by;  // "measured", "told by the server", "inferred"
  };
  std::vector<Finding> findings;     // the biggest first
  std::vector<std::string> unknown;  // what no client can know
  std::vector<std::string> problems;
};

OutsideReport outside_report(const ProbeData& data);
std::string outside_text(const OutsideReport& report);
nlohmann::ordered_json outside_json(const OutsideReport& report);

}  // namespace twostroke

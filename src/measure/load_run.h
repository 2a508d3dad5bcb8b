// run_load: sends a plan of requests to a server and records what came of each. One I/O thread (the
// caller's) does all sending and reading.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "measure/client_record.h"
#include "measure/load_config.h"

namespace twostroke {

// Where a run is. Any thread may read it.
struct LoadProgress {
  std::atomic<int> planned{0};
  std::atomic<int> waiting{0};   // sent, no token yet: the server's queue and prefill
  std::atomic<int> decoding{0};  // tokens are coming
  std::atomic<int> completed{0};
  std::atomic<int> failed{0};
  std::atomic<int> held{0};  // due, but held back by the limit on requests in flight
  std::atomic<int64_t> output_tokens{0};
  std::atomic<int64_t> prompt_tokens{0};  // of prompts whose first token has come
  std::atomic<double> last_ttft_ms{0};
  std::atomic<double> last_itl_ms{0};
  std::atomic<bool> warming_up{false};
};

struct LoadHooks {
  LoadProgress* progress = nullptr;
  const std::atomic<bool>* stop = nullptr;  // true: cut what is in flight, return what there is
};

// How well the client itself kept up.
struct ClientHealth {
  double loop_lag_p99_ms = 0;  // how late the I/O thread was for timers every 5 ms
  double loop_lag_max_ms = 0;
  double cpu_fraction = 0;  // of one core
};

struct ServerFacts {
  std::string model;
  std::string length_method;  // how prompts got their length: tokenize, usage, assumed
  bool system_role = true;    // its chat template takes system messages
};

struct LoadResult {
  std::vector<ClientRecord> records;  // in the order of the plan
  std::vector<ClientRecord> warmup;
  int64_t duration_ns = 0;  // first request sent to last request done
  ClientHealth client;
  ServerFacts server;
  bool stopped = false;
};

// An Error when there is nothing to measure: no server, no model, an unreadable workload.
Result<LoadResult> run_load(const LoadConfig& config, const LoadHooks& hooks = {});

}  // namespace twostroke

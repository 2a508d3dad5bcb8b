// LoadRunner: the machinery under run_load and the isolated phases: streams of requests, each with
// its own arrival process and workload, running together on one I/O thread.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "measure/load_run.h"
#include "measure/workload/planned_request.h"
#include "measure/workload/prompt_source.h"

namespace twostroke {

struct LoadStream {
  std::string label;  // written into its records
  ArrivalConfig arrival;
  // The i-th request; called on the I/O thread when it is needed, in order.
  std::function<PlannedRequest(int index)> make;
  int num_requests = std::numeric_limits<int>::max();
  std::vector<int64_t> due_ns;  // open loop and trace: one per request, in order
  bool in_background = false;   // ends when all streams that are not have ended
  double max_duration_s = 0;    // no request starts later; 0: no limit
};

struct LoadSetup {
  ServerUrl server;
  HttpClientOptions http;
  bool keep_text = false;
  int retries = 0;
  uint64_t seed = 0;
};

struct StreamsOutcome {
  std::vector<ClientRecord> records;  // by stream, then by index
  int64_t duration_ns = 0;
  ClientHealth client;
  bool stopped = false;
};

// A server that has been looked at: which model, how it counts, warmed up.
struct PreparedServer {
  ServerFacts facts;
  std::shared_ptr<const PromptSource> source;
  std::vector<ClientRecord> warmup;
};
Result<PreparedServer> prepare_server(const LoadConfig& config, const LoadHooks& hooks);
LoadSetup setup_of(const LoadConfig& config);

StreamsOutcome run_streams(const LoadSetup& setup, std::vector<LoadStream> streams,
                           const LoadHooks& hooks);

}  // namespace twostroke

// What a load run is asked to do: plain data. The same config and seed give the same prompts at the
// same times, so that two servers can be given one and the same load.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measure/client_metrics.h"
#include "measure/http_exchange.h"
#include "measure/json_value.h"
#include "measure/server_url.h"

namespace twostroke {

enum class ApiEndpoint { kChat, kCompletions };

enum class ArrivalKind {
  kClosedLoop,  // `concurrency` users, each sends when its last answer is complete
  kOpenLoop,    // requests come at `rate_per_s` whatever the server does
  kTrace,       // requests come when the trace says
};

enum class Ramp { kNone, kLinear, kExponential };

struct ArrivalConfig {
  ArrivalKind kind = ArrivalKind::kClosedLoop;
  double rate_per_s = 0;  // open loop; infinity: all at once
  // Shape of the gamma distribution of gaps: 1 is Poisson, less is burstier, infinity is constant.
  double burstiness = 1;
  int concurrency = 1;      // closed loop: users
  int max_in_flight = 0;    // open loop and trace: past it what is due waits here; 0: no limit
  Ramp ramp = Ramp::kNone;  // open loop: from ramp_start_per_s to rate_per_s over all requests
  double ramp_start_per_s = 0;
  double ramp_s = 0;        // closed loop: the users come one by one over so many seconds
  double think_time_s = 0;  // closed loop: between an answer and the next question
  double time_scale = 1;    // trace: 2 replays twice as slowly
};

enum class WorkloadKind { kSynthetic, kFile, kPromptShape, kTrace };

enum class CacheMode {
  kCold,    // every prompt begins with text that no other has
  kShared,  // prompts share their first `shared_prefix_tokens`, which differ from run to run
  kAsIs,    // prompts as the workload has them, byte for byte
};

// A prompt's parts, by count and size in tokens.
struct PromptShape {
  int system_tokens = 0;
  int history_turns = 0;  // pairs of user and assistant messages before the question
  int history_turn_tokens = 0;
  int documents = 0;
  int document_tokens = 0;
  int tools = 0;
  int tool_tokens = 0;
  int schema_tokens = 0;
  int question_tokens = 32;
};

struct WorkloadConfig {
  WorkloadKind kind = WorkloadKind::kSynthetic;
  int prompt_tokens = 256;
  int output_tokens = 64;
  // Lengths are uniform in [n (1 - ratio), n (1 + ratio)].
  double range_ratio = 0;
  CacheMode cache = CacheMode::kCold;
  int shared_prefix_tokens = 0;
  std::string file;  // kFile: ShareGPT JSON or JSONL; kTrace: Mooncake JSONL or Azure CSV
  PromptShape shape;
};

struct LoadConfig {
  ServerUrl server;
  HttpClientOptions http;  // key and timeouts
  std::string model;       // empty: the first of /v1/models
  ApiEndpoint endpoint = ApiEndpoint::kChat;
  ArrivalConfig arrival;
  WorkloadConfig workload;
  int num_requests = 100;
  double max_duration_s = 0;  // no request starts later; 0: no limit
  int warmup_requests = 1;    // with prompts of their own, one after another, not counted
  uint64_t seed = 0;
  uint64_t text_salt = 0;  // other words for the same lengths and times: no cache knows them yet
  Slo slo;
  Json extra_body = Json::object();  // members for every request
  bool ignore_eos = true;            // ask for answers of exact length
  bool plain_openai = false;         // nothing in the request that OpenAI's own API does not know
  bool ask_phases = true;            // our server's ledger with every answer
  bool keep_text = false;
  int retries = 0;  // of a request that got 429 or 503, after Retry-After
};

// kInvalidArgument with the field, its range and the value, for the first that is out of range.
Status check_load_config(const LoadConfig& config);

}  // namespace twostroke

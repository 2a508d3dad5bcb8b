// What `twostroke load` was asked to do, as typed; load_config_of() makes a LoadConfig of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/runs_db.h"
#include "measure/load_config.h"

namespace twostroke {

struct LoadOptions {
  std::string url;
  std::string model;
  std::string endpoint = "chat";
  std::string api_key;  // empty: $OPENAI_API_KEY
  int requests = 0;     // 0: 100, or what a trace or a duration has
  double duration_s = 0;
  int warmup = 1;
  uint64_t seed = 0;
  bool seed_given = false;

  int concurrency = 1;
  std::string rate;  // empty: closed loop; a number or "inf"
  std::string burstiness = "1";
  int max_in_flight = 0;
  double ramp_s = 0;
  double ramp_start_rate = 0;
  std::string ramp_shape = "linear";
  double think_time_s = 0;
  std::string trace;
  double time_scale = 1;

  int prompt_tokens = 256;
  int output_tokens = 64;
  double range_ratio = 0;
  std::string dataset;
  std::string shape;
  std::string cache;  // cold, shared, as-is; empty: cold, or shared with --shared-prefix
  int shared_prefix = 0;
  bool allow_eos = false;
  bool plain_openai = false;
  std::string extra_body;

  std::vector<std::string> goodput;  // "ttft:500"
  std::vector<double> percentiles = {50, 90, 95, 99};
  double timeout_s = 3600;
  double idle_timeout_s = 300;
  int retries = 0;

  bool json = false;
  bool no_progress = false;
  std::string label;
  std::string save_result;
  bool save_detailed = false;
  std::string save_requests;
  std::string save_csv;
  RunsDbOptions db;
};

// kInvalidArgument names the flag.
Result<LoadConfig> load_config_of(const LoadOptions& options);

// "ttft:500" and "tpot:50" …, milliseconds, as vLLM writes them.
Result<Slo> parse_slo(const std::vector<std::string>& limits);

// "system=200,history=4x120,documents=3x400,tools=5x60,schema=150,question=40"
Result<PromptShape> parse_shape(const std::string& text);

int run_load_command(const LoadOptions& options);

}  // namespace twostroke

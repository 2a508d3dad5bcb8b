// `twostroke explain URL`: what can be known of any OpenAI-compatible server from outside.
#pragma once

#include <cstdint>
#include <string>

#include "apps/runs_db.h"
#include "measure/load_config.h"

namespace twostroke {

struct ExplainServerOptions {
  std::string url;
  std::string model;  // empty: the server's first
  std::string api_key;
  ApiEndpoint endpoint = ApiEndpoint::kChat;
  int rounds = 4;
  int max_prompt_tokens = 512;
  int max_output_tokens = 64;
  int max_concurrency = 8;
  uint64_t seed = 0;
  bool seed_given = false;  // else a fresh one: earlier probes must not have warmed a cache
  bool json = false;
  std::string label;
  RunsDbOptions db;
};

// What a positional argument of `explain` is: an address of a server, or something else's name.
bool is_server_address(const std::string& text);

int run_explain_server(const ExplainServerOptions& options);

}  // namespace twostroke

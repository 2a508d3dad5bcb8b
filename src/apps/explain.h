// What `explain` and `what-if` were asked: plain data, filled by cli_explain.cpp.
#pragma once

#include <string>
#include <vector>

#include "apps/explain_server.h"
#include "phases/explain.h"

namespace twostroke {

struct ExplainOptions {
  // A request's id (with --url), a file with phases, or the URL of any server.
  std::string subject;
  std::string url = "http://127.0.0.1:8080";
  ExplainTargets targets;
  bool json = false;
  ExplainServerOptions server;  // for a URL
};

struct WhatIfOptions {
  std::string request;
  std::string url = "http://127.0.0.1:8080";
  std::vector<std::string> drop;
  std::string cache = "same";
  int prompt_tokens = 0, output_tokens = 0, batch = 0;  // 0: as it was
  int cached_tokens = -1;                               // -1: by `cache`
  bool verify = false;
  bool json = false;
};

// The commands; each returns the exit code.
int run_explain(const ExplainOptions& options);
int run_what_if(const WhatIfOptions& options);

}  // namespace twostroke

// `twostroke runs`: the history of measured runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/runs_db.h"

namespace twostroke {

struct RunsOptions {
  enum class Action { kList, kShow, kExport, kDelete };
  Action action = Action::kList;
  RunsDbOptions db;
  RunFilter filter;
  std::vector<int64_t> ids;  // export: empty for all that the filter lets through
  std::string format = "json";
  std::string output;  // file; empty: stdout
  bool requests = false;
  bool json = false;
};

int run_runs(const RunsOptions& options);

}  // namespace twostroke

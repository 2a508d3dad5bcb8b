// `twostroke runs`: the history of measured runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/runs_db.h"

namespace twostroke {

struct RunsOptions {
  enum class Action { kList, kShow, kCompare, kExport, kDelete };
  Action action = Action::kList;
  RunsDbOptions db;
  RunFilter filter;
  std::vector<int64_t> ids;  // export: empty for all that the filter lets through
  std::string format = "json";
  std::string output;  // file; empty: stdout
  bool requests = false;
  bool json = false;
  // compare: run numbers separated by commas, or a label: all its runs.
  std::string a, b;
  double margin_percent = 2;
  double run_noise_percent = 0;  // 0: not known
  std::string html;
};

int run_runs(const RunsOptions& options);

// `runs compare`: kept load runs as blocks, the n-th of A with the n-th of B.
int compare_runs(const RunsOptions& options);

}  // namespace twostroke

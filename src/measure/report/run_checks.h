// Whether a run's numbers may be believed: what a careful reader would ask, asked every time.
#pragma once

#include <string>
#include <vector>

#include "measure/load_config.h"
#include "measure/report/load_summary.h"

namespace twostroke {

enum class CheckLevel {
  kNote,     // something to know
  kWarning,  // the numbers mean something else than it seems
  kInvalid,  // do not use them
};

struct RunCheck {
  CheckLevel level = CheckLevel::kNote;
  std::string name;     // "client_lag"
  std::string message;  // with the numbers
};

std::vector<RunCheck> check_run(const LoadConfig& config, const LoadResult& result,
                                const LoadSummary& summary);

bool is_invalid(const std::vector<RunCheck>& checks);
const char* check_level_name(CheckLevel level);  // "warning"

}  // namespace twostroke

// Capacity: the highest rate of requests at which a server keeps its limits. A search over runs at
// fixed rates: doubling until one misses, then halving the bracket. Pure: the runs are a callable.
#pragma once

#include <cstdint>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "measure/statistics/quantiles.h"

namespace twostroke {

struct CapacityRules {
  double first_rate_per_s = 1;
  double target = 0.95;      // share of requests that must keep the limits
  double precision = 0.1;    // stop when the bracket is this narrow, as a ratio - 1
  int max_runs = 12;         // of one side
  double confidence = 0.95;  // of the interval that must clear the target
};

enum class CapacityOutcome { kMeets, kMisses, kUnresolved };

struct CapacityRun {
  double rate_per_s = 0;
  int64_t good = 0;
  int64_t total = 0;
  Interval attainment;  // Wilson's
  CapacityOutcome outcome = CapacityOutcome::kUnresolved;
};

struct Capacity {
  double highest_met_per_s = 0;    // 0: not even the lowest rate that was tried
  double lowest_missed_per_s = 0;  // infinite: none missed
  // The bracket is as narrow as asked, and no run within it was too close to call.
  bool is_resolved = false;
  std::vector<CapacityRun> runs;  // as they were made
};

struct AttainmentCount {
  int64_t good = 0;
  int64_t total = 0;
};
Result<Capacity> find_capacity(FunctionRef<Result<AttainmentCount>(double rate_per_s)> run,
                               const CapacityRules& rules);

const char* outcome_name(CapacityOutcome outcome);  // "meets"

}  // namespace twostroke

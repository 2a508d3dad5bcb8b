#include "measure/decide/capacity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace twostroke {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

CapacityRun judged(double rate, const AttainmentCount& count, const CapacityRules& rules) {
  CapacityRun run;
  run.rate_per_s = rate;
  run.good = count.good;
  run.total = count.total;
  if (count.total <= 0) return run;
  run.attainment = wilson_interval(count.good, count.total, rules.confidence);
  if (run.attainment.low >= rules.target) run.outcome = CapacityOutcome::kMeets;
  if (run.attainment.high < rules.target) run.outcome = CapacityOutcome::kMisses;
  return run;
}

// What is too close to call is not capacity: nobody should promise it.
bool holds(const CapacityRun& run) {
  return run.outcome == CapacityOutcome::kMeets;
}

double next_rate(const Capacity& capacity, const CapacityRules& rules) {
  if (capacity.runs.empty()) return rules.first_rate_per_s;
  if (std::isinf(capacity.lowest_missed_per_s)) return capacity.highest_met_per_s * 2;
  if (capacity.highest_met_per_s == 0) return capacity.lowest_missed_per_s / 2;
  return std::sqrt(capacity.highest_met_per_s * capacity.lowest_missed_per_s);
}

bool is_narrow(const Capacity& capacity, const CapacityRules& rules) {
  return capacity.highest_met_per_s > 0 &&
         capacity.lowest_missed_per_s / capacity.highest_met_per_s <= 1 + rules.precision;
}

}  // namespace

Result<Capacity> find_capacity(FunctionRef<Result<AttainmentCount>(double rate_per_s)> run,
                               const CapacityRules& rules) {
  CHECK(rules.first_rate_per_s > 0 && rules.precision > 0 && rules.max_runs > 0);
  Capacity capacity;
  capacity.lowest_missed_per_s = kInfinity;
  while (static_cast<int>(capacity.runs.size()) < rules.max_runs && !is_narrow(capacity, rules)) {
    const double rate = next_rate(capacity, rules);
    const AttainmentCount count = TRY(run(rate));
    capacity.runs.push_back(judged(rate, count, rules));
    if (holds(capacity.runs.back())) {
      capacity.highest_met_per_s = std::max(capacity.highest_met_per_s, rate);
    } else {
      capacity.lowest_missed_per_s = std::min(capacity.lowest_missed_per_s, rate);
    }
  }
  capacity.is_resolved = is_narrow(capacity, rules) &&
                         std::ranges::none_of(capacity.runs, [&](const CapacityRun& each) {
                           return each.outcome == CapacityOutcome::kUnresolved &&
                                  each.rate_per_s <= capacity.lowest_missed_per_s;
                         });
  return capacity;
}

const char* outcome_name(CapacityOutcome outcome) {
  switch (outcome) {
    case CapacityOutcome::kMeets:
      return "meets";
    case CapacityOutcome::kMisses:
      return "misses";
    case CapacityOutcome::kUnresolved:
      return "unresolved";
  }
  return "";
}

}  // namespace twostroke

#include "engine/step_log.h"

namespace twostroke {

// Items first: who sees the step finds them.
void StepLog::append(StepRecord record, std::span<const StepItem> items) {
  record.step = steps_.last() + 1;
  record.first_item = items_.last() + 1;
  record.num_requests = static_cast<int64_t>(items.size());
  for (const StepItem& item : items) items_.append(item);
  steps_.append(record);
}

std::vector<StepItem> StepLog::items_of(const StepRecord& record) const {
  std::vector<StepItem> items;
  for (int64_t i = 0; i < record.num_requests; ++i) {
    if (const auto item = items_.at(record.first_item + i)) items.push_back(*item);
  }
  return items;
}

}  // namespace twostroke

#include "engine/step_records.h"

#include <algorithm>
#include <bit>

namespace twostroke {
namespace {

using Fields = std::array<int64_t, sizeof(StepRecord) / sizeof(int64_t)>;

}  // namespace

StepRecords::StepRecords(int capacity)
    : capacity_(static_cast<size_t>(capacity)), slots_(std::make_unique<Slot[]>(capacity_)) {
  static_assert(sizeof(StepRecord) == kFields * sizeof(int64_t));
}

// A sequence lock whose payload is relaxed atomics, so that a reader that loses the race reads a
// mixture, sees it in the version and drops it, without a data race. Release on the fields keeps
// them after the odd version.
void StepRecords::append(const StepRecord& record) {
  Slot& slot = slots_[static_cast<size_t>(record.step) % capacity_];
  const uint64_t version = slot.version.load(std::memory_order_relaxed);
  slot.version.store(version + 1, std::memory_order_relaxed);
  const auto fields = std::bit_cast<Fields>(record);
  for (size_t i = 0; i < kFields; ++i) slot.fields[i].store(fields[i], std::memory_order_release);
  slot.version.store(version + 2, std::memory_order_release);
  last_step_.store(record.step, std::memory_order_release);
}

std::vector<StepRecord> StepRecords::since(int64_t after) const {
  const int64_t last = last_step_.load(std::memory_order_acquire);
  const int64_t oldest = std::max(after, last - static_cast<int64_t>(capacity_)) + 1;
  std::vector<StepRecord> records;
  for (int64_t step = std::max<int64_t>(1, oldest); step <= last; ++step) {
    const Slot& slot = slots_[static_cast<size_t>(step) % capacity_];
    const uint64_t before = slot.version.load(std::memory_order_acquire);
    Fields fields{};
    for (size_t i = 0; i < kFields; ++i) fields[i] = slot.fields[i].load(std::memory_order_acquire);
    const bool intact = before % 2 == 0 && slot.version.load(std::memory_order_relaxed) == before;
    const auto record = std::bit_cast<StepRecord>(fields);
    if (intact && record.step == step) records.push_back(record);
  }
  return records;
}

}  // namespace twostroke

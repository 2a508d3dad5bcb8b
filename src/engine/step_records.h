// StepRecords: the last N steps, for the timeline. The engine thread writes without a lock or an
// allocation; any thread reads a copy, skipping what is being overwritten meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace twostroke {

struct StepRecord {
  int64_t step = 0;  // counts from 1
  int64_t start_ns = 0;
  int64_t forward_start_ns = 0;
  int64_t forward_end_ns = 0;
  int64_t end_ns = 0;
  int64_t num_prefill_tokens = 0;
  int64_t num_decode_tokens = 0;
  int64_t num_requests = 0;
  int64_t num_waiting = 0;
};

class StepRecords {
 public:
  explicit StepRecords(int capacity);
  void append(const StepRecord& record);  // engine thread
  // The records with step > `after`, oldest first. Any thread.
  std::vector<StepRecord> since(int64_t after) const;

 private:
  static constexpr size_t kFields = 9;
  struct Slot {
    std::atomic<uint64_t> version{0};  // odd while being written
    std::array<std::atomic<int64_t>, kFields> fields{};
  };

  size_t capacity_;
  std::unique_ptr<Slot[]> slots_;
  std::atomic<int64_t> last_step_{0};
};

}  // namespace twostroke

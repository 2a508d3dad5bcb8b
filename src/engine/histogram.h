// Histogram: how many values fell between fixed bounds, and their sum. Any thread adds without
// waiting or allocating; readers take copies. Values are integers in one unit, ns or a count.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace twostroke {

class Histogram {
 public:
  static constexpr size_t kMaxBounds = 24;

  // Ascending; a value belongs to the first bound that is not below it. They outlive the histogram.
  explicit Histogram(std::span<const int64_t> bounds);

  // A value below 0 counts as 0.
  void add(int64_t value);

  struct Snapshot {
    std::vector<int64_t> counts;  // [bounds + 1], not cumulative; the last is past all bounds
    int64_t sum = 0;              // may be a few values ahead or behind the counts
  };
  Snapshot snapshot() const;
  std::span<const int64_t> bounds() const { return bounds_; }

 private:
  std::span<const int64_t> bounds_;
  std::array<std::atomic<int64_t>, kMaxBounds + 1> counts_{};
  std::atomic<int64_t> sum_{0};
};

}  // namespace twostroke

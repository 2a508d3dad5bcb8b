#include "engine/histogram.h"

#include <algorithm>

#include "base/check.h"

namespace twostroke {

Histogram::Histogram(std::span<const int64_t> bounds) : bounds_(bounds) {
  CHECK_LE(bounds.size(), kMaxBounds);
  CHECK(std::ranges::is_sorted(bounds));
}

void Histogram::add(int64_t value) {
  value = std::max<int64_t>(value, 0);
  const auto at = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot snapshot;
  for (size_t i = 0; i <= bounds_.size(); ++i) {
    snapshot.counts.push_back(counts_[i].load(std::memory_order_relaxed));
  }
  snapshot.sum = sum_.load(std::memory_order_relaxed);
  return snapshot;
}

}  // namespace twostroke

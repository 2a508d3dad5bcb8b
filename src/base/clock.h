// The clock seam: everything that books time asks a Clock, so that tests and the simulator decide
// what time it is.
#pragma once

#include <cstdint>

namespace twostroke {

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic nanoseconds since an arbitrary start; the same start for one Clock's whole life.
  virtual int64_t now_ns() const = 0;
};

// CLOCK_MONOTONIC. Thread-safe.
class SteadyClock final : public Clock {
 public:
  int64_t now_ns() const override;
};

// Stands still until moved. One thread at a time.
class ManualClock final : public Clock {
 public:
  int64_t now_ns() const override { return now_ns_; }
  void advance_ns(int64_t delta_ns) { now_ns_ += delta_ns; }

 private:
  int64_t now_ns_ = 0;
};

}  // namespace twostroke

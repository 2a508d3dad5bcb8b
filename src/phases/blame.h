// Who cost a request the time: of the time that others took from it, how much each of them took.
// Plain data in, plain data out; nothing here allocates after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace twostroke {

// What a request's tokens in one step were.
enum class StepPhase : int32_t { kPrefill, kDecode, kRecompute };
// "prefill", "decode", "recompute".
std::string_view step_phase_name(StepPhase phase);

struct Blame {
  RequestId request = 0;
  StepPhase phase = StepPhase::kPrefill;
  int64_t ns = 0;
};

// The most expensive ones, most first, and the rest in one sum.
struct BlameSummary {
  static constexpr size_t kNumTop = 3;
  std::array<Blame, kNumTop> top{};  // ns == 0: there are no more
  int64_t rest_ns = 0;
  int64_t total_ns = 0;  // of all of it, exactly
};

// Sums by request and phase. Of more culprits than it has room for, the cheapest go to the rest.
class BlameTable {
 public:
  void add(RequestId request, StepPhase phase, int64_t ns);
  void add_rest(int64_t ns);
  BlameSummary summary() const;

 private:
  static constexpr size_t kCapacity = 16;
  Blame& slot_for(RequestId request, StepPhase phase);

  std::array<Blame, kCapacity> entries_{};
  size_t size_ = 0;
  int64_t rest_ns_ = 0;
  int64_t total_ns_ = 0;
};

// The tokens of one request in a step, and what the cost model says they add to it.
struct StepPart {
  RequestId request = 0;
  StepPhase phase = StepPhase::kPrefill;
  double marginal_ns = 0;
};

// The parts of one step, to be blamed for what everyone else lost in it.
class StepBlame {
 public:
  explicit StepBlame(int max_parts) { parts_.reserve(static_cast<size_t>(max_parts)); }

  void clear();
  void add(const StepPart& part);  // at most max_parts of them
  // After the last add: only the most expensive are blamed by name from here on.
  void rank();
  // Gives the parts of others their shares of decode_ns (what decode tokens took from `self`) and
  // prefill_ns (what all other tokens took), in proportion to what they add to the step. All of it
  // is given away, exactly.
  void blame(RequestId self, int64_t decode_ns, int64_t prefill_ns, BlameTable& table) const;
  // The same without telling the phases apart: `self` waited while the step ran.
  void blame_wait(RequestId self, int64_t ns, BlameTable& table) const;

 private:
  enum class Which { kDecode, kOthers, kAll };
  static constexpr size_t kNamed = 16;
  static bool counts(const StepPart& part, Which which);
  void spread(RequestId self, int64_t ns, Which which, BlameTable& table) const;

  std::vector<StepPart> parts_;
};

}  // namespace twostroke

#include "phases/blame.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace twostroke {

std::string_view step_phase_name(StepPhase phase) {
  switch (phase) {
    case StepPhase::kPrefill:
      return "prefill";
    case StepPhase::kDecode:
      return "decode";
    case StepPhase::kRecompute:
      break;
  }
  return "recompute";
}

Blame& BlameTable::slot_for(RequestId request, StepPhase phase) {
  for (size_t i = 0; i < size_; ++i) {
    if (entries_[i].request == request && entries_[i].phase == phase) return entries_[i];
  }
  if (size_ < kCapacity) {
    entries_[size_] = {request, phase, 0};
    return entries_[size_++];
  }
  Blame& cheapest = *std::ranges::min_element(entries_, {}, &Blame::ns);
  rest_ns_ += cheapest.ns;
  cheapest = {request, phase, 0};
  return cheapest;
}

void BlameTable::add(RequestId request, StepPhase phase, int64_t ns) {
  CHECK_GE(ns, 0);
  if (ns == 0) return;
  slot_for(request, phase).ns += ns;
  total_ns_ += ns;
}

void BlameTable::add_rest(int64_t ns) {
  CHECK_GE(ns, 0);
  rest_ns_ += ns;
  total_ns_ += ns;
}

BlameSummary BlameTable::summary() const {
  BlameSummary summary{.total_ns = total_ns_};
  const auto end = std::ranges::partial_sort_copy(
      entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(size_), summary.top.begin(),
      summary.top.end(), std::ranges::greater{}, &Blame::ns, &Blame::ns);
  summary.rest_ns = total_ns_;
  for (auto it = summary.top.begin(); it != end.out; ++it) summary.rest_ns -= it->ns;
  return summary;
}

void StepBlame::clear() {
  parts_.clear();
}

void StepBlame::add(const StepPart& part) {
  CHECK_LT(parts_.size(), parts_.capacity());
  parts_.push_back(part);
}

void StepBlame::rank() {
  const size_t named = std::min(kNamed, parts_.size());
  std::ranges::nth_element(parts_, parts_.begin() + static_cast<ptrdiff_t>(named),
                           std::ranges::greater{}, &StepPart::marginal_ns);
}

bool StepBlame::counts(const StepPart& part, Which which) {
  return which == Which::kAll || (part.phase == StepPhase::kDecode) == (which == Which::kDecode);
}

void StepBlame::blame(RequestId self, int64_t decode_ns, int64_t prefill_ns,
                      BlameTable& table) const {
  spread(self, decode_ns, Which::kDecode, table);
  spread(self, prefill_ns, Which::kOthers, table);
}

void StepBlame::blame_wait(RequestId self, int64_t ns, BlameTable& table) const {
  spread(self, ns, Which::kAll, table);
}

// Shares are differences of rounded running sums, so that nothing is lost to rounding.
void StepBlame::spread(RequestId self, int64_t ns, Which which, BlameTable& table) const {
  if (ns <= 0) return;
  double whole = 0;
  for (const StepPart& part : parts_) {
    if (part.request != self && counts(part, which)) whole += part.marginal_ns;
  }
  double sum = 0;
  int64_t given = 0;
  const size_t named = std::min(kNamed, parts_.size());
  for (size_t i = 0; i < named && whole > 0; ++i) {
    const StepPart& part = parts_[i];
    if (part.request == self || !counts(part, which)) continue;
    sum += part.marginal_ns;
    const double upto = static_cast<double>(ns) * std::min(1.0, sum / whole);
    const int64_t share = std::clamp<int64_t>(std::llround(upto), given, ns) - given;
    table.add(part.request, part.phase, share);
    given += share;
  }
  table.add_rest(ns - given);
}

}  // namespace twostroke

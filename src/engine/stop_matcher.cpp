#include "engine/stop_matcher.h"

#include <algorithm>

#include "base/check.h"

namespace twostroke {

StopMatcher::StopMatcher(std::vector<std::string> stop_strings)
    : stop_strings_(std::move(stop_strings)) {
  for (const std::string& stop : stop_strings_) CHECK(!stop.empty());
}

const std::string* StopMatcher::append(std::string_view text, std::string& emitted) {
  if (stop_strings_.empty()) {
    emitted.append(text);
    return nullptr;
  }
  const size_t old_size = held_.size();
  held_.append(text);
  const Match match = first_match(old_size);
  if (match.stop != nullptr) {
    emitted.append(held_, 0, match.begin);
    held_.clear();
    return match.stop;
  }
  const size_t certain = held_.size() - held_back();
  emitted.append(held_, 0, certain);
  held_.erase(0, certain);
  return nullptr;
}

// The match that ends first, as if the text came byte by byte; of those the longest. `held_` up to
// `old_size` holds none, so a match ends after it.
StopMatcher::Match StopMatcher::first_match(size_t old_size) const {
  Match best;
  for (const std::string& stop : stop_strings_) {
    const size_t from = old_size < stop.size() ? 0 : old_size - stop.size() + 1;
    const size_t begin = held_.find(stop, from);
    if (begin == std::string::npos) continue;
    const size_t end = begin + stop.size();
    const bool earlier = best.stop == nullptr || end < best.end;
    if (earlier || (end == best.end && begin < best.begin)) best = {begin, end, &stop};
  }
  return best;
}

// Length of the longest end of `held_` that begins a stop string.
size_t StopMatcher::held_back() const {
  size_t longest = 0;
  for (const std::string& stop : stop_strings_) {
    for (size_t size = std::min(stop.size() - 1, held_.size()); size > longest; --size) {
      if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, size))) longest = size;
    }
  }
  return longest;
}

void StopMatcher::finish(std::string& emitted) {
  emitted.append(held_);
  held_.clear();
}

}  // namespace twostroke

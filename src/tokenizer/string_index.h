// StringIndex: string -> dense index, for vocabularies: open addressing over views, no node per
// entry. The strings are not owned and must outlive the index. Built once, then read by any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace twostroke {

class StringIndex {
 public:
  static constexpr int32_t kNotFound = -1;

  explicit StringIndex(size_t expected = 0);

  // The index of `text`, new or old; indices count up from 0.
  int32_t insert(std::string_view text);
  int32_t find(std::string_view text) const {
    const size_t hash = std::hash<std::string_view>{}(text);
    for (size_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
      const Slot& entry = slots_[slot];
      if (entry.index == kNotFound) return kNotFound;
      if (entry.tag == tag_of(hash) && strings_[static_cast<size_t>(entry.index)] == text) {
        return entry.index;
      }
    }
  }
  std::string_view text(int32_t index) const { return strings_[static_cast<size_t>(index)]; }
  int32_t size() const { return static_cast<int32_t>(strings_.size()); }

 private:
  struct Slot {
    int32_t index = kNotFound;
    uint32_t tag = 0;
  };
  static uint32_t tag_of(size_t hash) { return static_cast<uint32_t>(hash >> 32); }
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half full
  size_t mask_ = 0;
  std::vector<std::string_view> strings_;
};

}  // namespace twostroke

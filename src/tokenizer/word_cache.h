// WordCache: within one encode call, words that were seen before are copied from the output instead
// of merged again. Text repeats its words, so most lookups hit. One call, one thread; holds views
// into the call's text.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace twostroke {

class WordCache {
 public:
  // Longer words are rare and repeat rarely.
  static constexpr size_t kMaxWordBytes = 64;

  explicit WordCache(size_t text_bytes) {
    size_t slots = 64;
    while (slots < kMaxSlots && slots * 8 < text_bytes) slots *= 2;
    slots_.resize(slots);
  }

  // Appends the tokens of an earlier equal word to `output` and says so; otherwise remembers
  // nothing yet.
  bool append_known(std::string_view word, std::vector<TokenId>& output) {
    if (word.size() > kMaxWordBytes) return false;
    const Slot& slot = slot_of(word);
    if (slot.word != word || slot.word.empty()) return false;
    for (uint32_t i = 0; i < slot.count; ++i) output.push_back(output[slot.first + i]);
    return true;
  }

  // The tokens of `word` are output[first, output.size()).
  void remember(std::string_view word, size_t first, const std::vector<TokenId>& output) {
    if (word.size() > kMaxWordBytes) return;
    slot_of(word) = {word, first, static_cast<uint32_t>(output.size() - first)};
  }

 private:
  static constexpr size_t kMaxSlots = 1 << 14;
  struct Slot {
    std::string_view word;
    size_t first = 0;
    uint32_t count = 0;
  };
  Slot& slot_of(std::string_view word) { return slots_[hash_of(word) & (slots_.size() - 1)]; }
  static size_t hash_of(std::string_view word) {
    uint64_t hash = word.size();
    size_t i = 0;
    for (; i + 8 <= word.size(); i += 8) {
      uint64_t part;
      std::memcpy(&part, word.data() + i, 8);
      hash = (hash ^ part) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29;
    }
    uint64_t rest = 0;
    std::memcpy(&rest, word.data() + i, word.size() - i);
    hash = (hash ^ rest) * 0x9E3779B97F4A7C15ULL;
    return static_cast<size_t>(hash ^ (hash >> 32));
  }

  std::vector<Slot> slots_;
};

}  // namespace twostroke

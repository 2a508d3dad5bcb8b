// BpeMerges: which two symbols merge into which third, and how soon. Symbols are the tokens (same
// ids) and, after them, texts that only merges mention. Immutable after create: any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tokenizer/merge_symbols.h"
#include "tokenizer/vocabulary.h"

namespace twostroke {

class BpeMerges {
 public:
  static constexpr int32_t kUnknownSymbol = -1;

  // `merges`: "left right", best first; the space is the first one after the first byte.
  static Result<BpeMerges> create(const Vocabulary& vocabulary,
                                  const std::vector<std::string_view>& merges);

  // For SymbolMerger.
  bool find(const Symbol& left, const Symbol& right, PairMerge& merge) const {
    if ((left.id | right.id) < 0) return false;
    const uint64_t key = key_of(left.id, right.id);
    for (size_t slot = hash_of(key) & mask_;; slot = (slot + 1) & mask_) {
      if (pairs_[slot].key == key) {
        merge = pairs_[slot].merge;
        return true;
      }
      if (pairs_[slot].key == kEmpty) return false;
    }
  }

  int32_t symbol(std::string_view text) const;  // or kUnknownSymbol
  bool is_token(int32_t symbol) const { return symbol >= 0 && symbol < num_tokens_; }
  // The texts that merging can build, tokens aside.
  const std::deque<std::string>& extra_texts() const { return extra_texts_; }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  struct Pair {
    uint64_t key = kEmpty;
    PairMerge merge;
  };
  static uint64_t key_of(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  static size_t hash_of(uint64_t key) {
    key *= 0x9E3779B97F4A7C15ULL;
    return static_cast<size_t>(key ^ (key >> 32));
  }
  explicit BpeMerges(const Vocabulary& vocabulary)
      : vocabulary_(&vocabulary), num_tokens_(vocabulary.size()) {}
  int32_t intern(std::string_view text);
  void add(int32_t left, int32_t right, PairMerge merge);

  const Vocabulary* vocabulary_;
  int32_t num_tokens_ = 0;
  StringIndex extra_index_;
  std::deque<std::string> extra_texts_;  // a deque: extra_index_ holds views of them
  std::vector<Pair> pairs_;              // a power of two, at most half full
  size_t mask_ = 0;
};

}  // namespace twostroke

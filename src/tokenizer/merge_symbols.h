// merge_symbols: the loop that BPE and SentencePiece share: merge the best adjacent pair (lowest
// priority, then leftmost) until no pair merges. Short words scan, long ones use a queue, O(n log
// n); both give the same result. `Pairs` has `bool find(const Symbol& left, const Symbol& right,
// PairMerge& merge) const`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace twostroke {

struct Symbol {
  int32_t id = -1;     // the encoder's own numbering
  uint32_t begin = 0;  // byte range of the word
  uint32_t end = 0;
};

struct PairMerge {
  int32_t priority = 0;  // lower first
  int32_t id = -1;       // of the merged symbol
};

class SymbolMerger {
 public:
  static constexpr size_t kMaxScanned = 48;  // symbols; measured: about equal there

  template <typename Pairs>
  void merge(const Pairs& pairs, std::vector<Symbol>& symbols) {
    if (symbols.size() < 2) return;
    if (symbols.size() <= kMaxScanned) {
      merge_by_scan(pairs, symbols);
    } else {
      merge_by_queue(pairs, symbols);
    }
  }

  template <typename Pairs>
  void merge_by_scan(const Pairs& pairs, std::vector<Symbol>& symbols) {
    best_.resize(symbols.size());
    for (size_t i = 0; i + 1 < symbols.size(); ++i)
      best_[i] = lookup(pairs, symbols[i], symbols[i + 1]);
    size_t count = symbols.size();
    while (count > 1) {
      size_t best = 0;
      for (size_t i = 1; i + 1 < count; ++i) {
        if (best_[i].priority < best_[best].priority) best = i;
      }
      if (best_[best].id < 0) break;
      symbols[best] = {best_[best].id, symbols[best].begin, symbols[best + 1].end};
      for (size_t i = best + 1; i + 1 < count; ++i) {
        symbols[i] = symbols[i + 1];
        best_[i] = best_[i + 1];
      }
      --count;
      if (best > 0) best_[best - 1] = lookup(pairs, symbols[best - 1], symbols[best]);
      if (best + 1 < count) best_[best] = lookup(pairs, symbols[best], symbols[best + 1]);
    }
    symbols.resize(count);
  }

  template <typename Pairs>
  void merge_by_queue(const Pairs& pairs, std::vector<Symbol>& symbols) {
    const auto count = static_cast<int32_t>(symbols.size());
    links_.resize(symbols.size());
    queue_.clear();
    for (int32_t i = 0; i < count; ++i) links_[at(i)] = {i - 1, i + 1 < count ? i + 1 : -1};
    for (int32_t i = 0; i + 1 < count; ++i) push(pairs, symbols, i, i + 1);
    while (!queue_.empty()) {
      const Entry entry = pop();
      // Stale when either side was merged meanwhile: `right` is then no neighbour, or has another
      // end.
      if (links_[at(entry.left)].next != entry.right || symbols[at(entry.right)].end != entry.end)
        continue;
      const int32_t next = links_[at(entry.right)].next;
      symbols[at(entry.left)].id = entry.id;
      symbols[at(entry.left)].end = entry.end;
      links_[at(entry.left)].next = next;
      links_[at(entry.right)].next = kRemoved;
      if (next >= 0) {
        links_[at(next)].previous = entry.left;
        push(pairs, symbols, entry.left, next);
      }
      const int32_t previous = links_[at(entry.left)].previous;
      if (previous >= 0) push(pairs, symbols, previous, entry.left);
    }
    size_t kept = 0;
    for (size_t i = 0; i < symbols.size(); ++i) {
      if (links_[i].next != kRemoved) symbols[kept++] = symbols[i];
    }
    symbols.resize(kept);
  }

 private:
  static constexpr int32_t kRemoved = -2;
  struct Link {
    int32_t previous;
    int32_t next;
  };
  struct Entry {
    int32_t priority;
    int32_t left;
    int32_t right;
    int32_t id;
    uint32_t end;
    bool operator<(const Entry& other) const {  // "less" is further from the top of the heap
      return priority != other.priority ? priority > other.priority : left > other.left;
    }
  };
  static size_t at(int32_t index) { return static_cast<size_t>(index); }

  template <typename Pairs>
  static PairMerge lookup(const Pairs& pairs, const Symbol& left, const Symbol& right) {
    PairMerge merge;
    if (pairs.find(left, right, merge)) return merge;
    return {std::numeric_limits<int32_t>::max(), -1};
  }
  template <typename Pairs>
  void push(const Pairs& pairs, const std::vector<Symbol>& symbols, int32_t left, int32_t right) {
    PairMerge merge;
    if (!pairs.find(symbols[at(left)], symbols[at(right)], merge)) return;
    queue_.push_back({merge.priority, left, right, merge.id, symbols[at(right)].end});
    std::push_heap(queue_.begin(), queue_.end());
  }
  Entry pop() {
    std::pop_heap(queue_.begin(), queue_.end());
    const Entry entry = queue_.back();
    queue_.pop_back();
    return entry;
  }

  std::vector<PairMerge> best_;  // of symbol i and i + 1
  std::vector<Link> links_;
  std::vector<Entry> queue_;
};

}  // namespace twostroke

// The two ways of merging must agree, and long words must stay cheap.
#include "tokenizer/merge_symbols.h"

#include <gtest/gtest.h>

#include <random>

namespace twostroke {
namespace {

// Symbols are numbers below `size`; a table says what merges.
struct RandomPairs {
  explicit RandomPairs(uint32_t seed) : random(seed) {
    for (auto& row : table) {
      for (PairMerge& merge : row) {
        merge.priority = static_cast<int32_t>(random() % 40);
        merge.id = random() % 3 != 0 ? static_cast<int32_t>(random() % kSize) : -1;
      }
    }
  }
  bool find(const Symbol& left, const Symbol& right, PairMerge& merge) const {
    merge = table[static_cast<size_t>(left.id)][static_cast<size_t>(right.id)];
    return merge.id >= 0;
  }
  static constexpr size_t kSize = 12;
  std::mt19937 random;
  PairMerge table[kSize][kSize];
};

std::vector<int32_t> flat(const std::vector<Symbol>& symbols) {
  std::vector<int32_t> values;
  for (const Symbol& symbol : symbols) {
    values.insert(values.end(), {symbol.id, static_cast<int32_t>(symbol.begin),
                                 static_cast<int32_t>(symbol.end)});
  }
  return values;
}

TEST(SymbolMerger, ScanAndQueueAgree) {
  SymbolMerger merger;
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    RandomPairs pairs(seed);
    std::vector<Symbol> scanned;
    for (uint32_t i = 0; i < 2 + seed % 60; ++i) {
      scanned.push_back({static_cast<int32_t>(pairs.random() % RandomPairs::kSize), i, i + 1});
    }
    std::vector<Symbol> queued = scanned;
    merger.merge_by_scan(pairs, scanned);
    merger.merge_by_queue(pairs, queued);
    ASSERT_EQ(flat(scanned), flat(queued)) << "seed " << seed;
  }
}

TEST(SymbolMerger, NoPairNoChange) {
  struct None {
    bool find(const Symbol&, const Symbol&, PairMerge&) const { return false; }
  };
  SymbolMerger merger;
  std::vector<Symbol> symbols = {{1, 0, 1}, {2, 1, 2}};
  merger.merge(None{}, symbols);
  EXPECT_EQ(symbols.size(), 2U);
}

}  // namespace
}  // namespace twostroke

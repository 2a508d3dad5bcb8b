// KvCache: what sequences share, what they never share, and that blocks are conserved.
#include "kv_cache/kv_cache.h"

#include <gtest/gtest.h>

#include <numeric>

namespace twostroke {
namespace {

constexpr int kBlockSize = 4;

std::vector<TokenId> sequence_of(int size, TokenId first = 100) {
  std::vector<TokenId> tokens(static_cast<size_t>(size));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

// Computes all of `tokens` and leaves the sequence running; returns what was reused.
int compute(KvCache& cache, const std::vector<TokenId>& tokens, KvSequence& sequence,
            std::string_view salt = "") {
  const int reused = cache.match_prefix(tokens, salt, sequence);
  EXPECT_TRUE(cache.grow(static_cast<int>(tokens.size()), sequence));
  cache.commit(tokens, static_cast<int>(tokens.size()), salt, sequence);
  cache.check_invariants();
  return reused;
}

TEST(KvCache, ReusesFullBlocksOfAFinishedSequence) {
  KvCache cache(8, kBlockSize);
  KvSequence first;
  EXPECT_EQ(compute(cache, sequence_of(10), first), 0);
  const std::vector<BlockId> blocks = first.block_table;
  cache.release(first);
  KvSequence second;
  EXPECT_EQ(compute(cache, sequence_of(10), second), 8);
  EXPECT_EQ(second.block_table[0], blocks[0]);
  EXPECT_EQ(second.block_table[1], blocks[1]);
}

TEST(KvCache, SharesWithASequenceThatStillRuns) {
  KvCache cache(8, kBlockSize);
  KvSequence first;
  KvSequence second;
  compute(cache, sequence_of(10), first);
  EXPECT_EQ(compute(cache, sequence_of(10), second), 8);
  EXPECT_EQ(cache.pool().num_references(first.block_table[0]), 2);
  EXPECT_NE(first.block_table[2], second.block_table[2]);  // half full: never shared
}

TEST(KvCache, AFullHitLeavesTheLastTokenToCompute) {
  KvCache cache(8, kBlockSize);
  KvSequence first;
  compute(cache, sequence_of(8), first);
  KvSequence second;
  EXPECT_EQ(compute(cache, sequence_of(8), second), 4);
  KvSequence third;  // one token more: both blocks can be used
  EXPECT_EQ(compute(cache, sequence_of(9), third), 8);
}

TEST(KvCache, SaltsNeverShare) {
  KvCache cache(16, kBlockSize);
  KvSequence alice;
  KvSequence bob;
  KvSequence nobody;
  compute(cache, sequence_of(10), alice, "alice");
  EXPECT_EQ(compute(cache, sequence_of(10), bob, "bob"), 0);
  EXPECT_EQ(compute(cache, sequence_of(10), nobody), 0);
  KvSequence again;
  EXPECT_EQ(compute(cache, sequence_of(10), again, "alice"), 8);
}

TEST(KvCache, APrefixOutlivesWhatFollowsIt) {
  KvCache cache(4, kBlockSize);
  KvSequence first;
  compute(cache, sequence_of(16), first);
  cache.release(first);
  KvSequence other;
  compute(cache, sequence_of(8, 500), other);  // evicts the two youngest parts of the first
  KvSequence again;
  EXPECT_EQ(cache.match_prefix(sequence_of(16), "", again), 8);
  cache.check_invariants();
}

TEST(KvCache, GrowsAllOrNothing) {
  KvCache cache(3, kBlockSize);
  KvSequence first;
  cache.start_empty("", first);
  EXPECT_TRUE(cache.grow(5, first));
  KvSequence second;
  cache.start_empty("", second);
  EXPECT_FALSE(cache.grow(5, second));
  EXPECT_TRUE(second.block_table.empty());
  EXPECT_TRUE(cache.grow(4, second));
  cache.check_invariants();
}

TEST(KvCache, DuplicatesComputedAtTheSameTimeAreFoundOnceAndContinued) {
  KvCache cache(16, kBlockSize);
  const std::vector<TokenId> tokens = sequence_of(16);
  KvSequence first;
  KvSequence second;
  for (KvSequence* sequence : {&first, &second}) {
    EXPECT_EQ(cache.match_prefix(tokens, "", *sequence), 0);
    ASSERT_TRUE(cache.grow(16, *sequence));
  }
  cache.commit(tokens, 8, "", first);
  cache.commit(tokens, 16, "", second);  // its last two blocks go behind the first's two
  cache.release(first);
  cache.release(second);
  cache.check_invariants();
  EXPECT_EQ(cache.pool().num_cached(), 4);
  KvSequence third;
  EXPECT_EQ(cache.match_prefix(sequence_of(17), "", third), 16);
}

TEST(KvCache, ResetForgetsAndRunningSequencesGoOnUnseen) {
  KvCache cache(8, kBlockSize);
  KvSequence running;
  KvSequence finished;
  compute(cache, sequence_of(8), running);
  compute(cache, sequence_of(8, 500), finished);
  cache.release(finished);
  cache.reset_prefix_cache();
  cache.check_invariants();
  EXPECT_EQ(cache.pool().num_cached(), 0);
  EXPECT_EQ(cache.pool().num_referenced(), 2);
  ASSERT_TRUE(cache.grow(12, running));
  cache.commit(sequence_of(12), 12, "", running);
  KvSequence later;
  EXPECT_EQ(cache.match_prefix(sequence_of(12), "", later), 0);
  cache.release(running);
  EXPECT_EQ(cache.pool().num_free(), 8);
  cache.check_invariants();
}

TEST(KvCache, NoFalseHitsEvenWhenEveryHashCollides) {
  const PrefixHash colliding{[](std::string_view) { return uint64_t{0}; },
                             [](uint64_t, std::span<const TokenId>) { return uint64_t{0}; }};
  KvCache cache(64, kBlockSize, colliding);
  for (TokenId first = 0; first < 8; ++first) {
    KvSequence sequence;
    EXPECT_EQ(compute(cache, sequence_of(9, first * 50), sequence, first % 2 == 0 ? "a" : "b"), 0);
    cache.release(sequence);
  }
  KvSequence same;
  EXPECT_EQ(compute(cache, sequence_of(9, 50), same, "b"), 8);
  KvSequence other_salt;
  EXPECT_EQ(compute(cache, sequence_of(9, 50), other_salt, "a"), 0);
}

}  // namespace
}  // namespace twostroke

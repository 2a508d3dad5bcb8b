// BlockPool: the states of a block, the order in which blocks are taken again, and misuse.
// A random walk against a plain model (sets and a deque) checks every transition and count.
#include "kv_cache/block_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

namespace twostroke {
namespace {

TEST(BlockPool, TakesEveryBlockOnceThenNothing) {
  BlockPool pool(3);
  EXPECT_EQ(pool.take().block, 0);
  EXPECT_EQ(pool.take().block, 1);
  EXPECT_EQ(pool.take().block, 2);
  EXPECT_EQ(pool.num_available(), 0);
  EXPECT_EQ(pool.num_referenced(), 3);
  pool.check_invariants();
}

TEST(BlockPool, TakesFreeBlocksBeforeCachedOnes) {
  BlockPool pool(2);
  const BlockId first = pool.take().block;
  pool.release(first, /*keep_cached=*/true);
  const BlockPool::Taken taken = pool.take();
  EXPECT_NE(taken.block, first);
  EXPECT_FALSE(taken.evicted);
}

TEST(BlockPool, EvictsLeastRecentlyReleasedBlockFirst) {
  BlockPool pool(3);
  for (int i = 0; i < 3; ++i) pool.take();
  for (const BlockId block : {1, 0, 2}) pool.release(block, /*keep_cached=*/true);
  pool.reference(1);  // used again: now the youngest when released
  pool.release(1, /*keep_cached=*/true);
  EXPECT_EQ(pool.take().block, 0);
  EXPECT_EQ(pool.take().block, 2);
  const BlockPool::Taken last = pool.take();
  EXPECT_EQ(last.block, 1);
  EXPECT_TRUE(last.evicted);
}

TEST(BlockPool, KeepsASharedBlockUntilTheLastReferenceGoes) {
  BlockPool pool(1);
  const BlockId block = pool.take().block;
  pool.reference(block);
  pool.release(block, /*keep_cached=*/false);
  EXPECT_EQ(pool.num_free(), 0);
  pool.release(block, /*keep_cached=*/false);
  EXPECT_EQ(pool.num_free(), 1);
}

TEST(BlockPoolDeathTest, MisuseAborts) {
  BlockPool pool(1);
  EXPECT_DEATH(pool.reference(0), "CHECK failed");  // free: its content is nobody's
  EXPECT_DEATH(pool.release(0, true), "CHECK failed");
  EXPECT_DEATH(pool.num_references(1), "CHECK failed");
  EXPECT_DEATH(pool.num_references(-1), "CHECK failed");
  pool.take();
  EXPECT_DEATH(pool.take(), "CHECK failed");
}

TEST(BlockPool, AgreesWithAPlainModelOnRandomWalks) {
  std::mt19937 random(7);
  BlockPool pool(9);
  std::map<BlockId, int> references;
  std::deque<BlockId> cached;
  for (int step = 0; step < 5000; ++step) {
    const unsigned action = random() % 4;
    if (action == 0 && pool.num_available() > 0) {
      const BlockPool::Taken taken = pool.take();
      ASSERT_EQ(references.count(taken.block), 0U);
      if (taken.evicted) {
        ASSERT_EQ(taken.block, cached.front());
        cached.pop_front();
      }
      references[taken.block] = 1;
    } else if (action == 1 && !cached.empty()) {
      const auto chosen = cached.begin() + static_cast<ptrdiff_t>(random() % cached.size());
      pool.reference(*chosen);
      references[*chosen] = 1;
      cached.erase(chosen);
    } else if (action == 2 && !references.empty()) {
      auto chosen = references.begin();
      std::advance(chosen, static_cast<ptrdiff_t>(random() % references.size()));
      const bool keep = random() % 2 == 0;
      pool.release(chosen->first, keep);
      if (--chosen->second == 0) {
        if (keep) cached.push_back(chosen->first);
        references.erase(chosen);
      }
    } else if (action == 3 && !references.empty()) {
      pool.reference(references.begin()->first);
      ++references.begin()->second;
    }
    pool.check_invariants();
    ASSERT_EQ(pool.num_referenced(), static_cast<int>(references.size()));
    ASSERT_EQ(pool.num_cached(), static_cast<int>(cached.size()));
  }
}

}  // namespace
}  // namespace twostroke

// SeqCell and SeqRing: what is read was written, in one piece, however fast the writer is.
#include "base/seq_cell.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace twostroke {
namespace {

struct Triple {
  int64_t a = 0, b = 0, c = 0;
};
Triple triple(int64_t n) {
  return {n, 3 * n, -n};
}

TEST(SeqCell, HoldsNothingBeforeTheFirstStore) {
  SeqCell<Triple> cell;
  Triple value;
  EXPECT_FALSE(cell.try_load(value));
  cell.store(triple(7));
  ASSERT_TRUE(cell.try_load(value));
  EXPECT_EQ(value.b, 21);
}

TEST(SeqCell, AReaderNeverSeesAMixture) {
  SeqCell<Triple> cell;
  cell.store(triple(0));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int64_t n = 1; n <= 200'000; ++n) cell.store(triple(n));
    done = true;
  });
  int64_t newest = 0;
  while (!done) {
    Triple value;
    cell.load(value);
    ASSERT_EQ(value.b, 3 * value.a);
    ASSERT_EQ(value.c, -value.a);
    ASSERT_GE(value.a, newest);
    newest = value.a;
  }
  writer.join();
}

TEST(SeqRing, KeepsTheLastValuesUnderTheirNumbers) {
  SeqRing<Triple> ring(4);
  EXPECT_EQ(ring.last(), 0);
  EXPECT_TRUE(ring.since(0).empty());
  for (int64_t n = 1; n <= 10; ++n) EXPECT_EQ(ring.append(triple(n)), n);
  EXPECT_EQ(ring.oldest(), 7);
  EXPECT_FALSE(ring.at(0).has_value());
  EXPECT_FALSE(ring.at(6).has_value());
  EXPECT_FALSE(ring.at(11).has_value());
  EXPECT_EQ(ring.at(7)->a, 7);
  EXPECT_EQ(ring.since(0).size(), 4U);
  EXPECT_EQ(ring.since(8).front().a, 9);
  EXPECT_TRUE(ring.since(10).empty());
}

TEST(SeqRing, WhatAReaderGetsIsInOrderAndWhole) {
  SeqRing<Triple> ring(64);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int64_t n = 1; n <= 200'000; ++n) ring.append(triple(n));
    done = true;
  });
  int64_t cursor = 0;
  while (!done) {
    for (const Triple& value : ring.since(cursor)) {
      ASSERT_GT(value.a, cursor);
      ASSERT_EQ(value.b, 3 * value.a);
      cursor = value.a;
    }
  }
  writer.join();
}

}  // namespace
}  // namespace twostroke

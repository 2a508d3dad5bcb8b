#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace twostroke {
namespace {

// The counts are plain ints on purpose: under TSan a chunk run twice or a missing happens-before
// shows.
TEST(ThreadPool, RunsEveryChunkOnceWhateverTheCounts) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int chunks : {0, 1, 2, 3, 7, 8, 64, 1000}) {
      std::vector<int> runs(static_cast<size_t>(chunks), 0);
      pool.parallel_for(chunks, [&](int chunk, int worker) {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, threads);
        ++runs[static_cast<size_t>(chunk)];
      });
      for (int count : runs) ASSERT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, TheLargestNumberOfChunksFits) {
  ThreadPool pool(2);
  std::vector<uint8_t> runs(ThreadPool::kMaxChunks, 0);
  pool.parallel_for(ThreadPool::kMaxChunks,
                    [&](int chunk, int) { ++runs[static_cast<size_t>(chunk)]; });
  for (uint8_t count : runs) ASSERT_EQ(count, 1);
}

// Calls follow each other fast, inside and outside of steps, with more threads than cores, so that
// workers arrive late, at the wrong call, or not at all.
TEST(ThreadPool, LateWorkersDoNotTouchLaterCalls) {
  ThreadPool pool(6);
  std::vector<int> runs(16, 0);
  for (int call = 0; call < 20000; ++call) {
    if (call % 100 == 0) pool.begin_step();
    if (call % 100 == 50) pool.end_step();
    const int chunks = 2 + call % 15;
    pool.parallel_for(chunks,
                      [&, call](int chunk, int) { runs[static_cast<size_t>(chunk)] += call; });
    for (int i = 0; i < chunks; ++i)
      ASSERT_EQ(runs[static_cast<size_t>(i)], call) << "call " << call;
    runs.assign(16, 0);
  }
}

TEST(ThreadPool, AStuckWorkerCostsOnlyItsChunk) {
  ThreadPool pool(2);
  std::vector<int> owner(64, -1);
  std::vector<int> order;  // of worker 0
  pool.parallel_for(64, [&](int chunk, int worker) {
    // Worker 1 falls asleep in whatever it takes first; worker 0 must do the rest of its range.
    if (worker == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    } else {
      order.push_back(chunk);
    }
    owner[static_cast<size_t>(chunk)] = worker;
  });
  int by_sleeper = 0;
  for (int worker : owner) {
    ASSERT_GE(worker, 0);
    by_sleeper += worker;
  }
  EXPECT_LE(by_sleeper, 8);  // one, unless the machine itself stalls worker 0 for 200 ms at a time
  // Upwards through memory, but for the few places where a half was taken.
  int descents = 0;
  for (size_t i = 1; i < order.size(); ++i) descents += order[i] < order[i - 1] ? 1 : 0;
  EXPECT_LE(descents, 6);
}

TEST(ThreadPool, SleepingWorkersAreWoken) {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // longer than any spin
    // Each chunk waits for the other one: this ends only if the second worker really comes.
    std::atomic<int> arrived{0};
    pool.parallel_for(2, [&](int, int) {
      ++arrived;
      while (arrived.load() < 2) std::this_thread::yield();
    });
    EXPECT_EQ(arrived.load(), 2);
  }
}

TEST(ThreadPool, StartsAndStopsWithoutWork) {
  for (int i = 0; i < 50; ++i) ThreadPool pool(4);
}

}  // namespace
}  // namespace twostroke

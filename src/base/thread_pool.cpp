#include "base/thread_pool.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace twostroke {
namespace {

using std::chrono::steady_clock;

// Long enough to bridge the serial pieces between two calls of a step, short enough not to matter
// to whoever shares the machine.
constexpr auto kSpin = std::chrono::microseconds(50);
// Past this, whoever waits offers its core to others between looks.
constexpr auto kSpinBeforeYield = std::chrono::microseconds(10);
constexpr int kPausesPerClockRead = 16;

// A claim word: [epoch : 32][begun : 1][next : 15][end : 16]. Chunks [next, end) of the call
// `epoch` are free; `begun` once the owner has taken one. The epoch makes a compare-and-swap by a
// worker that slept through a call fail. (It would have to sleep between two of its instructions
// for exactly 2^32 calls, a day of decoding, to be fooled.)
struct Claims {
  uint32_t epoch;
  bool begun;
  int next;
  int end;

  static Claims unpack(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), ((word >> 31) & 1) != 0,
            static_cast<int>((word >> 16) & 0x7fff), static_cast<int>(word & 0xffff)};
  }
  uint64_t pack() const {
    return (uint64_t{epoch} << 32) | (uint64_t{begun} << 31) | (static_cast<uint64_t>(next) << 16) |
           static_cast<uint64_t>(end);
  }
  bool has_free(uint32_t of_epoch) const { return epoch == of_epoch && next < end; }
};

// The first free chunk of a worker's own range, or -1.
int take_first(std::atomic<uint64_t>& claims, uint32_t epoch) {
  uint64_t word = claims.load(std::memory_order_acquire);
  while (true) {
    const Claims seen = Claims::unpack(word);
    if (!seen.has_free(epoch)) return -1;
    const Claims left = {epoch, true, seen.next + 1, seen.end};
    if (claims.compare_exchange_weak(word, left.pack(), std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return seen.next;
    }
  }
}

// Half of what a victim has, as a range that the thief walks upwards as its owner would: chunks are
// neighbours in memory, and walking down costs a third of the bandwidth. An owner at work keeps the
// front; from one that has not come yet the front is taken, which follows the thief's own range.
// False when nothing is left.
bool take_half(std::atomic<uint64_t>& claims, uint32_t epoch, Claims& taken) {
  uint64_t word = claims.load(std::memory_order_acquire);
  while (true) {
    const Claims seen = Claims::unpack(word);
    if (!seen.has_free(epoch)) return false;
    const int count = seen.end - seen.next;
    const int middle = seen.next + (seen.begun ? count / 2 : (count + 1) / 2);
    Claims left = seen;
    taken = seen;
    (seen.begun ? left.end : left.next) = middle;
    (seen.begun ? taken.next : taken.end) = middle;
    if (claims.compare_exchange_weak(word, left.pack(), std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return true;
    }
  }
}

uint32_t epoch_of(uint64_t word) {
  return static_cast<uint32_t>(word >> 32);
}

void futex_wait(std::atomic<uint32_t>& word, uint32_t expected) {
  static_assert(sizeof(word) == sizeof(uint32_t));
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futex_wake_one(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// Spins until ready() or until the limit; true if ready.
template <typename Ready>
bool spin_until(Ready ready, std::chrono::nanoseconds limit) {
  const auto start = steady_clock::now();
  while (true) {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      if (ready()) return true;
      __builtin_ia32_pause();
    }
    const auto waited = steady_clock::now() - start;
    if (waited > limit) return false;
    if (waited > kSpinBeforeYield) sched_yield();
  }
}

}  // namespace

struct alignas(64) ThreadPool::Worker {
  // Written by the owner once per call and by whoever takes a chunk.
  std::atomic<uint64_t> claims{0};
  std::atomic<uint32_t> parked{0};  // 1: sleeping on this very word
  // [epoch : 32][chunks done in it : 32], written by this worker alone.
  alignas(64) std::atomic<uint64_t> done{0};
};

ThreadPool::Worker& ThreadPool::worker(int index) const {
  return workers_.get()[index];
}

ThreadPool::ThreadPool(int num_threads)
    : num_threads_(num_threads),
      workers_(std::make_unique<Worker[]>(static_cast<size_t>(num_threads))) {
  CHECK_GE(num_threads, 1);
  CHECK_LE(num_threads, kMaxThreads);
  threads_.reserve(static_cast<size_t>(num_threads - 1));
  for (int i = 1; i < num_threads; ++i) threads_.emplace_back([this, i] { worker_main(i); });
}

ThreadPool::~ThreadPool() {
  stopping_.store(true);
  for (int i = 1; i < num_threads_; ++i) wake(worker(i));
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::parallel_for(int num_chunks, ChunkFn fn) {
  CHECK_LE(num_chunks, kMaxChunks);
  if (num_threads_ == 1 || num_chunks <= 1) {
    for (int chunk = 0; chunk < num_chunks; ++chunk) fn(chunk, 0);
    return;
  }
  const int participants = std::min(num_threads_, num_chunks);
  publish(num_chunks, participants, fn);
  int own_done = run_claims(0, epoch_);
  const auto all_done = [&] { return own_done + others_done(participants) == num_chunks; };
  while (!spin_until(all_done, kSpin)) {
    own_done += run_claims(0, epoch_);  // what somebody took and then left lying
  }
}

void ThreadPool::begin_step() {
  in_step_.store(true);
  for (int i = 1; i < num_threads_; ++i) wake(worker(i));
}

void ThreadPool::end_step() {
  in_step_.store(false);
}

// The caller's own claims last: until they are there, thieves find nothing to take and it loses no
// time; and it is the one thread certain to be running.
void ThreadPool::publish(int num_chunks, int participants, ChunkFn fn) {
  object_.store(fn.object(), std::memory_order_relaxed);
  thunk_.store(fn.thunk(), std::memory_order_relaxed);
  ++epoch_;
  for (int i = participants - 1; i >= 0; --i) {
    const int begin = static_cast<int>(int64_t{num_chunks} * i / participants);
    const int end = static_cast<int>(int64_t{num_chunks} * (i + 1) / participants);
    // Sequentially consistent, as is the sleeper's look at it: either it sees this call or we see
    // it asleep.
    worker(i).claims.store(Claims{epoch_, false, begin, end}.pack());
    if (i > 0) wake(worker(i));
  }
}

int ThreadPool::run_claims(int self, uint32_t epoch) {
  // If these are a later call's, then this call is over and no chunk of it can be taken below.
  const ChunkFn fn(object_.load(std::memory_order_relaxed), thunk_.load(std::memory_order_relaxed));
  Worker& me = worker(self);
  int done = 0;
  while (true) {
    int chunk = take_first(me.claims, epoch);
    if (chunk < 0) chunk = steal(self, epoch);
    if (chunk < 0) return done;
    fn(chunk, self);
    ++done;
    const uint64_t word = (uint64_t{epoch} << 32) | static_cast<uint64_t>(done);
    me.done.store(word, std::memory_order_release);
  }
}

// The first of the chunks taken; the rest becomes this worker's own range, open to thieves again.
// (A plain store: nobody changes an empty range, and while we hold chunks the call cannot end.)
int ThreadPool::steal(int self, uint32_t epoch) {
  for (int i = 1; i < num_threads_; ++i) {
    Claims taken;
    if (!take_half(worker((self + i) % num_threads_).claims, epoch, taken)) continue;
    const Claims rest = {epoch, true, taken.next + 1, taken.end};
    worker(self).claims.store(rest.pack(), std::memory_order_release);
    return taken.next;
  }
  return -1;
}

int ThreadPool::others_done(int participants) const {
  int done = 0;
  for (int i = 1; i < participants; ++i) {
    const uint64_t word = worker(i).done.load(std::memory_order_acquire);
    if (epoch_of(word) == epoch_) done += static_cast<int>(word & 0xffffffffU);
  }
  return done;
}

void ThreadPool::worker_main(int self) {
  Worker& me = worker(self);
  uint32_t seen = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const uint32_t epoch = epoch_of(me.claims.load(std::memory_order_acquire));
    if (epoch == seen) {
      idle(me, seen);
      continue;
    }
    seen = epoch;
    run_claims(self, epoch);
  }
}

void ThreadPool::idle(Worker& me, uint32_t seen) {
  const auto called = [&] { return epoch_of(me.claims.load()) != seen || stopping_.load(); };
  if (in_step_.load(std::memory_order_relaxed)) {
    bool ready = false;
    spin_until([&] { return (ready = called()) || !in_step_.load(std::memory_order_relaxed); },
               kSpin);
    if (ready) return;
  }
  me.parked.store(1);
  if (called()) {
    me.parked.store(0, std::memory_order_relaxed);
    return;
  }
  futex_wait(me.parked, 1);
}

void ThreadPool::wake(Worker& sleeper) {
  if (sleeper.parked.load() == 0) return;
  if (sleeper.parked.exchange(0) == 1) futex_wake_one(sleeper.parked);
}

}  // namespace twostroke

// GrammarWorker: computes grammar masks on a thread of its own, while the model computes the logits
// that they will be laid over. GrammarState is one request's part: its matcher and its newest mask.
//
// A state is either with the worker (between advance and the end of that job) or with the engine
// thread (after wait). The queue is bounded by the running requests: each has one job at most.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "sampling/grammar.h"

namespace twostroke {

class GrammarState {
 public:
  GrammarState(std::unique_ptr<GrammarMatcher> matcher, size_t vocab_size)
      : matcher_(std::move(matcher)), mask_(token_mask_words(vocab_size)) {}

  // Engine thread, after GrammarWorker::wait.
  TokenMask mask() const { return mask_; }
  // Any thread, also while a job is under way.
  int num_masks() const { return num_masks_; }
  int64_t mask_ns() const { return mask_ns_; }  // what making all of them took

 private:
  friend class GrammarWorker;
  std::unique_ptr<GrammarMatcher> matcher_;
  std::vector<uint32_t> mask_;
  TokenId accepted_ = kNoToken;  // to be taken before the next mask
  Status status_;
  std::atomic<int> num_masks_{0};
  std::atomic<int64_t> mask_ns_{0};
  bool is_pending_ = false;  // under GrammarWorker::mutex_
};

class GrammarWorker {
 public:
  GrammarWorker() = default;
  ~GrammarWorker();  // drops what nobody waits for
  GrammarWorker(const GrammarWorker&) = delete;
  GrammarWorker& operator=(const GrammarWorker&) = delete;

  // Engine thread. Starts on the mask that follows `token`; kNoToken: on the first one. The thread
  // starts with the first call. REQUIRES: no job for `state` is under way.
  void advance(std::shared_ptr<GrammarState> state, TokenId token);
  // Engine thread. Blocks until the job under way is done, and does it itself when the worker has
  // not begun; an error ends this request and no other.
  Status wait(GrammarState& state);

 private:
  void run();
  static void compute(GrammarState& state);

  std::mutex mutex_;
  std::condition_variable job_arrived_, job_done_;
  std::deque<std::shared_ptr<GrammarState>> jobs_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace twostroke

// CommandQueue: the one way into the engine thread. Many threads put commands in, the engine takes
// all of them at the start of a step. Bounded by the number of live requests: each can be submitted
// once and cancelled once.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/active_request.h"
#include "engine/request_journal.h"
#include "scheduler/step_plan.h"

namespace twostroke {

// What the engine finds to do. Submissions come before cancels, both in the order they were made.
struct Commands {
  std::vector<std::unique_ptr<ActiveRequest>> submitted;
  std::vector<RequestId> cancelled;
  uint64_t reset_ticket = 0;  // the prefix cache is to be reset; 0: not
  bool cancel_all = false;
  bool quit = false;

  bool any() const {
    return !submitted.empty() || !cancelled.empty() || reset_ticket != 0 || cancel_all || quit;
  }
  void clear();
};

class CommandQueue {
 public:
  CommandQueue(int max_live_requests, const Clock& clock);

  // Any thread. Gives the request its id and its place in the order, and its record to `journal`.
  Result<RequestId> submit(std::unique_ptr<ActiveRequest> request, RequestJournal& journal);
  void cancel(RequestId id);
  // Asks for a reset of the prefix cache; wait_for_reset returns once that or quit is done.
  uint64_t request_reset();
  void wait_for_reset(uint64_t ticket);
  // From now on submit refuses.
  void close();
  // Waits until no request is live; false when that took longer than `timeout`.
  bool wait_until_idle(std::chrono::milliseconds timeout);
  void cancel_all_and_quit();
  int num_live() const { return num_live_.load(std::memory_order_relaxed); }

  // How many of the plan's tokens belong to requests that are to be cancelled. Takes no lock while
  // nobody is. Engine thread.
  int64_t num_cancelled_tokens(const StepPlan& plan);

  // Engine thread.
  enum class Wait { kNo, kUntilCommand };
  void take(Wait wait, Commands& commands);
  void retire(RequestId id);  // the request ended
  void reset_done(uint64_t ticket);

 private:
  const size_t max_live_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable command_arrived_;
  std::condition_variable state_changed_;
  Commands pending_;
  std::atomic<bool> has_commands_{false};  // lets a busy engine skip the mutex
  std::atomic<bool> has_cancels_{false};   // the same for a step under way
  std::vector<RequestId> live_;            // ascending
  std::atomic<int> num_live_{0};
  RequestId last_id_ = 0;
  uint64_t last_reset_requested_ = 0;
  uint64_t last_reset_done_ = 0;
  bool closed_ = false;
  bool quit_taken_ = false;
};

}  // namespace twostroke

#include "engine/command_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace twostroke {

void Commands::clear() {
  submitted.clear();
  cancelled.clear();
  reset_ticket = 0;
  cancel_all = quit = false;
}

CommandQueue::CommandQueue(int max_live_requests, const Clock& clock)
    : max_live_(static_cast<size_t>(max_live_requests)), clock_(clock) {
  live_.reserve(max_live_);
  pending_.submitted.reserve(max_live_);
  pending_.cancelled.reserve(max_live_);
}

Result<RequestId> CommandQueue::submit(std::unique_ptr<ActiveRequest> request,
                                       RequestJournal& journal) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Error{ErrorCode::kOverloaded, "the server is shutting down", ""};
  if (live_.size() >= max_live_) {
    return Error{ErrorCode::kOverloaded,
                 fmt::format("{} requests are running or waiting, and the limit is {}; try later",
                             live_.size(), max_live_),
                 ""};
  }
  const RequestId id = ++last_id_;
  request->id = id;
  request->record->set_id(id);
  request->events.queued_ns = clock_.now_ns();
  journal.add(request->record);
  live_.push_back(id);
  num_live_.store(static_cast<int>(live_.size()), std::memory_order_relaxed);
  pending_.submitted.push_back(std::move(request));
  has_commands_.store(true, std::memory_order_release);
  command_arrived_.notify_one();
  return id;
}

void CommandQueue::cancel(RequestId id) {
  const std::lock_guard lock(mutex_);
  if (!std::ranges::binary_search(live_, id)) return;
  if (std::ranges::find(pending_.cancelled, id) != pending_.cancelled.end()) return;
  pending_.cancelled.push_back(id);
  has_cancels_.store(true, std::memory_order_release);
  has_commands_.store(true, std::memory_order_release);
  command_arrived_.notify_one();
}

uint64_t CommandQueue::request_reset() {
  const std::lock_guard lock(mutex_);
  pending_.reset_ticket = ++last_reset_requested_;
  has_commands_.store(true, std::memory_order_release);
  command_arrived_.notify_one();
  return last_reset_requested_;
}

void CommandQueue::wait_for_reset(uint64_t ticket) {
  std::unique_lock lock(mutex_);
  state_changed_.wait(lock, [&] { return last_reset_done_ >= ticket || quit_taken_; });
}

void CommandQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool CommandQueue::wait_until_idle(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return state_changed_.wait_for(lock, timeout, [&] { return live_.empty(); });
}

void CommandQueue::cancel_all_and_quit() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  pending_.cancel_all = pending_.quit = true;
  has_cancels_.store(true, std::memory_order_release);
  has_commands_.store(true, std::memory_order_release);
  command_arrived_.notify_one();
}

int64_t CommandQueue::num_cancelled_tokens(const StepPlan& plan) {
  if (!has_cancels_.load(std::memory_order_acquire)) return 0;
  const std::lock_guard lock(mutex_);
  int64_t num_tokens = 0;
  for (const ScheduledRequest& item : plan.scheduled) {
    const bool cancelled =
        pending_.cancel_all ||
        std::ranges::find(pending_.cancelled, item.request->id) != pending_.cancelled.end();
    if (cancelled) num_tokens += item.num_tokens;
  }
  return num_tokens;
}

void CommandQueue::take(Wait wait, Commands& commands) {
  commands.clear();
  if (wait == Wait::kNo && !has_commands_.load(std::memory_order_acquire)) return;
  std::unique_lock lock(mutex_);
  if (wait == Wait::kUntilCommand) {
    command_arrived_.wait(lock, [&] { return has_commands_.load(std::memory_order_relaxed); });
  }
  std::swap(commands, pending_);
  has_commands_.store(false, std::memory_order_relaxed);
  has_cancels_.store(false, std::memory_order_relaxed);
  if (commands.quit) {
    quit_taken_ = true;
    state_changed_.notify_all();
  }
}

void CommandQueue::retire(RequestId id) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::lower_bound(live_, id);
  CHECK(found != live_.end() && *found == id);
  live_.erase(found);
  num_live_.store(static_cast<int>(live_.size()), std::memory_order_relaxed);
  if (live_.empty()) state_changed_.notify_all();
}

void CommandQueue::reset_done(uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  last_reset_done_ = std::max(last_reset_done_, ticket);
  state_changed_.notify_all();
}

}  // namespace twostroke

#include "engine/grammar_worker.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace twostroke {

GrammarWorker::~GrammarWorker() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    jobs_.clear();
  }
  job_arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void GrammarWorker::advance(std::shared_ptr<GrammarState> state, TokenId token) {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  {
    const std::lock_guard lock(mutex_);
    CHECK(!state->is_pending_);
    state->is_pending_ = true;
    state->accepted_ = token;
    jobs_.push_back(std::move(state));
  }
  job_arrived_.notify_one();
}

Status GrammarWorker::wait(GrammarState& state) {
  std::unique_lock lock(mutex_);
  const auto queued = std::ranges::find(
      jobs_, &state, [](const auto& job) -> const GrammarState* { return job.get(); });
  if (queued != jobs_.end()) {  // the worker has not come to it: waiting would take longer
    jobs_.erase(queued);
    lock.unlock();
    compute(state);
    lock.lock();
    state.is_pending_ = false;
  }
  job_done_.wait(lock, [&] { return !state.is_pending_; });
  return state.status_;
}

void GrammarWorker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    job_arrived_.wait(lock, [this] { return is_ending_ || !jobs_.empty(); });
    if (is_ending_) return;
    const std::shared_ptr<GrammarState> state = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    compute(*state);
    lock.lock();
    state->is_pending_ = false;
    job_done_.notify_one();
  }
}

// Its duration is a figure of its own and on no request's line of time, so the clock is the real
// one.
void GrammarWorker::compute(GrammarState& state) {
  const SteadyClock clock;
  const int64_t start_ns = clock.now_ns();
  if (state.accepted_ != kNoToken) state.status_ = state.matcher_->accept(state.accepted_);
  if (state.status_.ok()) state.status_ = state.matcher_->compute_mask(state.mask_);
  ++state.num_masks_;
  state.mask_ns_ += clock.now_ns() - start_ns;
}

}  // namespace twostroke

// FakeEngineClient: answers every request with "abc...", one token a step, on a thread of its own.
// Tests hold it still (a prefill that lasts), make it full, and look at what was submitted and
// cancelled.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/engine_client.h"
#include "engine/engine_observer.h"

namespace twostroke {

class FakeEngineClient final : public EngineClient {
 public:
  explicit FakeEngineClient(const Clock& clock) : clock_(clock), thread_([this] { run(); }) {}
  ~FakeEngineClient() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  Result<RequestId> submit(RequestInput input, std::shared_ptr<TokenStream> stream) override {
    const std::lock_guard lock(mutex_);
    if (static_cast<int>(active_.size()) >= max_active_) {
      return Error{ErrorCode::kOverloaded, "the queue is full", ""};
    }
    const RequestId id = ++last_id_;
    auto record = std::make_shared<RequestRecord>(
        RequestAbout{.id = id,
                     .reply_id = input.reply_id,
                     .choice = input.choice,
                     .kind = input.kind,
                     .num_prompt_tokens = static_cast<int>(input.prompt.size()),
                     .max_tokens = input.max_tokens,
                     .received_ns = input.received_ns});
    record->count_into(observer_.tallies());
    stream->set_record(record);
    observer_.journal().add(std::move(record));
    submitted_.push_back(input);
    active_[id] = Active{std::move(input), std::move(stream)};
    changed_.notify_all();
    return id;
  }
  void cancel(RequestId id) override {
    const std::lock_guard lock(mutex_);
    const auto it = active_.find(id);
    if (it == active_.end()) return;
    ++num_cancelled_;
    finish(id, it->second, FinishReason::kCancelled);
    active_.erase(it);
    changed_.notify_all();
  }
  void reset_prefix_cache() override {
    const std::lock_guard lock(mutex_);
    ++num_resets_;
  }
  EngineStats stats() const override { return {}; }
  EngineObserver& observer() override { return observer_; }

  void set_max_active(int limit) {
    const std::lock_guard lock(mutex_);
    max_active_ = limit;
  }
  void set_step(std::chrono::microseconds duration) {
    const std::lock_guard lock(mutex_);
    step_ = duration;
  }
  // No tokens until released; a request that asked for progress gets one report.
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void report_progress(const ProgressEvent& progress) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, it] : active_) it.stream->push_progress(progress);
  }
  // Ends everything that runs with an error.
  void fail_all(const Error& error) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, it] : active_) finish(id, it, FinishReason::kError, error);
    active_.clear();
  }
  std::vector<RequestInput> submitted() const {
    const std::lock_guard lock(mutex_);
    return submitted_;
  }
  int num_resets() const {
    const std::lock_guard lock(mutex_);
    return num_resets_;
  }
  int num_cancelled() const {
    const std::lock_guard lock(mutex_);
    return num_cancelled_;
  }
  // Waits (generously) until this holds; false when it never did.
  template <typename F>
  bool wait_for(F condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return condition(*this); });
  }
  // For wait_for's condition, which holds the lock.
  size_t active_count() const { return active_.size(); }
  int cancelled_count() const { return num_cancelled_; }

 private:
  struct Active {
    RequestInput input;
    std::shared_ptr<TokenStream> stream;
    int num_output = 0;
    int64_t scheduled_ns = -1, first_token_ns = -1, last_token_ns = -1;
  };

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || (!held_ && !active_.empty()); });
      if (stopping_) break;
      for (auto it = active_.begin(); it != active_.end();) {
        it = step(it->first, it->second) ? active_.erase(it) : std::next(it);
      }
      changed_.notify_all();
      if (step_.count() > 0) changed_.wait_for(lock, step_, [&] { return stopping_; });
      lock.unlock();  // others want a turn
      std::this_thread::yield();
      lock.lock();
    }
    for (auto& [id, it] : active_) finish(id, it, FinishReason::kCancelled);
  }

  // One token; true when it was the last.
  bool step(RequestId id, Active& it) {
    const int64_t now_ns = clock_.now_ns();
    TokenEvent event;
    event.token = 'a' + it.num_output % 26;
    event.text = std::string(1, static_cast<char>(event.token));
    event.sampled_ns = now_ns;
    event.num_output_tokens = ++it.num_output;
    if (it.input.sampling.num_logprobs >= 0) event.logprob = TokenLogprob{event.token, -0.5F};
    for (int i = 0; i < it.input.sampling.num_logprobs; ++i)
      event.top_logprobs.push_back({event.token + i, -0.5F});
    if (it.num_output == 1) it.scheduled_ns = it.first_token_ns = now_ns;
    it.last_token_ns = now_ns;
    const bool last = it.num_output >= it.input.max_tokens;
    if (last) event.finish_reason = FinishReason::kLength;
    it.stream->push(std::move(event));
    if (last) finish(id, it, FinishReason::kLength);
    return last;
  }

  void finish(RequestId id, Active& it, FinishReason reason, std::optional<Error> error = {}) {
    RequestSummary summary;
    summary.id = id;
    summary.num_prompt_tokens = static_cast<int>(it.input.prompt.size());
    summary.num_cached_tokens = summary.num_prompt_tokens / 2;
    summary.num_output_tokens = it.num_output;
    summary.num_steps = it.num_output;
    summary.finish_reason = reason;
    summary.error = std::move(error);
    const RequestInput& input = it.input;
    if (input.pooling != Pooling::kNone) summary.embedding = {3, 0, -4, 0};
    summary.events = RequestEvents{input.received_ns,
                                   input.tokenized_ns,
                                   input.tokenized_ns,
                                   it.scheduled_ns,
                                   it.first_token_ns,
                                   it.last_token_ns,
                                   -1};
    summary.ledger = Ledger(input.received_ns);
    summary.ledger.book_until(input.parsed_ns, Cause::kParse);
    summary.ledger.book_until(input.templated_ns, Cause::kTemplate);
    summary.ledger.book_until(input.tokenized_ns, Cause::kTokenize);
    summary.ledger.book_until(it.first_token_ns, Cause::kPrefillOwn);
    summary.ledger.book_until(it.last_token_ns, Cause::kDecodeOwn);
    RequestProgress progress;
    progress.phase =
        reason == FinishReason::kCancelled ? RequestPhase::kFinished : RequestPhase::kDelivering;
    progress.finish_reason = reason;
    progress.num_output_tokens = it.num_output;
    progress.events = summary.events;
    progress.ledger = summary.ledger;
    it.stream->record()->publish(progress);
    it.stream->finish(std::move(summary));
  }

  const Clock& clock_;
  EngineObserver observer_{64, 16};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<RequestId, Active> active_;
  std::vector<RequestInput> submitted_;
  RequestId last_id_ = 0;
  int max_active_ = 1000;
  int num_cancelled_ = 0;
  int num_resets_ = 0;
  std::chrono::microseconds step_{0};
  bool held_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: runs on everything above
};

}  // namespace twostroke

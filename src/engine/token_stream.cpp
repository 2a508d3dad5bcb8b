#include "engine/token_stream.h"

#include "base/check.h"

namespace twostroke {

const char* finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kNone:
      return "unfinished";
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
    case FinishReason::kError:
      break;
  }
  return "error";
}

std::vector<TokenEvent> TokenStream::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

std::optional<ProgressEvent> TokenStream::take_progress() {
  const std::lock_guard lock(mutex_);
  return std::exchange(progress_, std::nullopt);
}

void TokenStream::wait() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return !events_.empty() || progress_ || summary_; });
}

void TokenStream::wait_for(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, timeout, [this] { return !events_.empty() || progress_ || summary_; });
}

void TokenStream::set_notify(std::function<void()> notify) {
  const std::lock_guard lock(mutex_);
  notify_ = std::move(notify);
}

bool TokenStream::finished() const {
  const std::lock_guard lock(mutex_);
  return summary_.has_value();
}

RequestSummary TokenStream::summary() const {
  const std::lock_guard lock(mutex_);
  CHECK(summary_.has_value());
  return *summary_;
}

void TokenStream::push(TokenEvent event) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!summary_.has_value());
    events_.push_back(std::move(event));
  }
  wake();
}

void TokenStream::push_progress(const ProgressEvent& progress) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!summary_.has_value());
    progress_ = progress;
  }
  wake();
}

void TokenStream::finish(RequestSummary summary) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!summary_.has_value());
    summary_ = std::move(summary);
  }
  wake();
}

// Outside the lock: the consumer it wakes may take events at once.
void TokenStream::wake() {
  arrived_.notify_all();
  std::function<void()> notify;
  {
    const std::lock_guard lock(mutex_);
    notify = notify_;
  }
  if (notify) notify();
}

}  // namespace twostroke

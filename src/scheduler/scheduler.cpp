#include "scheduler/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace twostroke {

Scheduler::Scheduler(const SchedulerConfig& config, KvCache& kv_cache)
    : config_(config), kv_cache_(kv_cache) {
  CHECK_GT(config.max_running, 0);
  CHECK_GE(config.max_step_tokens, config.max_running);
  CHECK_GT(config.max_prefill_tokens_with_decode, 0);
  CHECK_GT(config.min_prefill_tokens, 0);
  const auto capacity = static_cast<size_t>(config.max_running);
  running_.reserve(capacity);
  plan_.scheduled.reserve(capacity);
  plan_.preempted.reserve(capacity);
}

Status Scheduler::check_fits(int num_prompt_tokens) const {
  const int needed = kv_cache_.blocks_for(num_prompt_tokens);
  const int total = kv_cache_.pool().num_blocks();
  if (needed <= total) return {};
  return Error{ErrorCode::kTooLarge,
               fmt::format("the prompt of {} tokens needs {} KV blocks, but the pool has {} ({} "
                           "tokens)",
                           num_prompt_tokens, needed, total, total * kv_cache_.block_size()),
               "prompt"};
}

void Scheduler::add(Request& request) {
  CHECK(request.state == RequestState::kNew);
  CHECK_GT(request.num_prompt_tokens, 0);
  CHECK_EQ(request.num_tokens(), request.num_prompt_tokens);
  CHECK(check_fits(request.num_tokens()).ok());
  request.state = RequestState::kWaiting;
  waiting_.push_back(request);
}

const StepPlan& Scheduler::schedule(const StepLimits& limits) {
  plan_.scheduled.clear();
  plan_.preempted.clear();
  plan_.num_tokens = plan_.num_logits = plan_.num_decodes = 0;
  limits_ = limits;
  load_ = {};
  budget_ = config_.max_step_tokens;
  num_prefill_tokens_ = 0;
  schedule_running();
  plan_.wait_reason = admit_waiting();
  for (const ScheduledRequest& item : plan_.scheduled) {
    plan_.num_tokens += item.num_tokens;
    plan_.num_logits += item.needs_logits ? 1 : 0;
  }
  return plan_;
}

// Decodes come first: a reader waits for each of them, and they are cheap.
void Scheduler::schedule_running() {
  schedule_some([](const Request& request) { return request.num_wanted_tokens() == 1; });
  schedule_some([](const Request& request) { return request.num_wanted_tokens() > 1; });
}

// Oldest first. A preemption shortens `running_` at its end, so the index stays right.
template <typename Wanted>
void Scheduler::schedule_some(Wanted wanted) {
  for (size_t i = 0; i < running_.size(); ++i) {
    Request& request = *running_[i];
    if (!wanted(request)) continue;
    const int num_tokens = chunk_of(request);
    if (num_tokens > 0 && make_room(request, num_tokens)) append(request, num_tokens);
  }
}

int Scheduler::chunk_of(const Request& request) const {
  const int wanted = request.num_wanted_tokens();
  if (wanted == 1) return std::min(1, budget_);
  int limit = budget_;
  if (plan_.num_decodes > 0) {
    limit = std::min(limit, config_.max_prefill_tokens_with_decode - num_prefill_tokens_);
  }
  limit = std::clamp(wanted, 0, std::max(0, limit));
  return std::min(limit, affordable(request, limit));
}

// Of the next `num_tokens` tokens of a prompt, those the step's cost limit leaves room for.
int Scheduler::affordable(const Request& request, int num_tokens) const {
  if (limits_.cost == nullptr || num_tokens == 0) return num_tokens;
  const int64_t limit = plan_.num_decodes > 0 ? limits_.max_with_decode : limits_.max_without;
  const int fitting =
      tokens_within(*limits_.cost, load_, request.num_computed_tokens, num_tokens, limit);
  return num_prefill_tokens_ == 0 ? std::max(fitting, config_.min_prefill_tokens) : fitting;
}

// Gets the blocks for the request's next tokens, at the price of newer requests or, in the end, its
// own.
bool Scheduler::make_room(Request& request, int num_tokens) {
  const int covered = request.num_computed_tokens + num_tokens;
  while (!kv_cache_.grow(covered, request.kv)) {
    Request& newest = *running_.back();
    preempt(newest);
    if (&newest == &request) return false;
  }
  return true;
}

void Scheduler::preempt(Request& request) {
  CHECK(running_.back() == &request);
  // Alone it always fits: check_fits and the engine's limit on its length see to that.
  CHECK_GT(running_.size(), size_t{1});
  unschedule(request);
  running_.pop_back();
  kv_cache_.release(request.kv);
  request.recompute_until = std::max(request.recompute_until, request.num_computed_tokens);
  request.num_computed_tokens = 0;
  ++request.num_preemptions;
  request.state = RequestState::kWaiting;
  waiting_.push_front(request);
  plan_.preempted.push_back(&request);
}

// A newer decode may already be planned when an older prefill needs its blocks.
void Scheduler::unschedule(Request& request) {
  const auto item = std::ranges::find(plan_.scheduled, &request, &ScheduledRequest::request);
  if (item == plan_.scheduled.end()) return;
  budget_ += item->num_tokens;
  load_ = load_ - load_of(item->first_token, item->num_tokens, item->needs_logits);
  if (request.num_wanted_tokens() == 1) {
    --plan_.num_decodes;
  } else {
    num_prefill_tokens_ -= item->num_tokens;
  }
  plan_.scheduled.erase(item);
}

void Scheduler::append(Request& request, int num_tokens) {
  CHECK_LE(num_tokens, budget_);
  const int first = request.num_computed_tokens;
  const bool needs_logits = first + num_tokens == request.num_tokens();
  plan_.scheduled.push_back({.request = &request,
                             .first_token = first,
                             .num_tokens = num_tokens,
                             .needs_logits = needs_logits});
  budget_ -= num_tokens;
  load_ = load_ + load_of(first, num_tokens, needs_logits);
  if (request.num_wanted_tokens() == 1) {
    ++plan_.num_decodes;
  } else {
    num_prefill_tokens_ += num_tokens;
  }
}

// FIFO without overtaking: the first that cannot come in keeps the others waiting.
WaitReason Scheduler::admit_waiting() {
  while (!waiting_.empty()) {
    // Whoever was preempted in this step would be let in again with the blocks it just gave.
    if (!plan_.preempted.empty()) return WaitReason::kKv;
    if (num_running() == config_.max_running) return WaitReason::kBatchLimit;
    const WaitReason reason = admit(*waiting_.front());
    if (reason != WaitReason::kNone) return reason;
  }
  return WaitReason::kNone;
}

WaitReason Scheduler::admit(Request& request) {
  if (chunk_of(request) == 0) return WaitReason::kTurn;
  int cached = 0;
  if (request.cache_prompt) {
    cached = kv_cache_.match_prefix(request.tokens, request.cache_salt, request.kv);
  } else {
    kv_cache_.start_empty(request.cache_salt, request.kv);
  }
  if (blocks_missing(request) > kv_cache_.pool().num_available() - blocks_promised()) {
    kv_cache_.release(request.kv);
    return WaitReason::kKv;
  }
  request.num_computed_tokens = cached;
  const int num_tokens = chunk_of(request);
  CHECK(kv_cache_.grow(cached + num_tokens, request.kv));
  waiting_.remove(request);
  request.state = RequestState::kRunning;
  if (!request.was_admitted) request.num_cached_tokens = cached;
  request.was_admitted = true;
  running_.push_back(&request);
  append(request, num_tokens);
  return WaitReason::kNone;
}

int Scheduler::blocks_missing(const Request& request) const {
  return kv_cache_.blocks_for(request.num_tokens()) -
         static_cast<int>(request.kv.block_table.size());
}

// Blocks that running prefills will still take for tokens that are already known. Counting them
// keeps a new prompt from being let in half way and thrown out again.
int Scheduler::blocks_promised() const {
  int promised = 0;
  for (const Request* request : running_) promised += blocks_missing(*request);
  return promised;
}

void Scheduler::complete(const StepPlan& plan) {
  for (const ScheduledRequest& item : plan.scheduled) {
    Request& request = *item.request;
    CHECK_EQ(item.first_token, request.num_computed_tokens);
    request.num_computed_tokens += item.num_tokens;
    kv_cache_.commit(request.tokens, request.num_computed_tokens, request.cache_salt, request.kv);
  }
}

void Scheduler::remove(Request& request) {
  if (request.state == RequestState::kWaiting) {
    waiting_.remove(request);
  } else {
    CHECK(request.state == RequestState::kRunning);
    const auto found = std::ranges::find(running_, &request);
    CHECK(found != running_.end());
    running_.erase(found);
    kv_cache_.release(request.kv);
  }
  request.state = RequestState::kFinished;
}

void Scheduler::check_invariants() const {
  kv_cache_.check_invariants();
  CHECK_LE(num_running(), config_.max_running);
  int referenced_at_most = 0;
  RequestId previous = 0;
  for (const Request* request : running_) {
    CHECK(request->state == RequestState::kRunning);
    CHECK_LT(previous, request->id);  // oldest first
    previous = request->id;
    CHECK_GT(request->num_wanted_tokens(), 0);
    const auto num_blocks = static_cast<int>(request->kv.block_table.size());
    CHECK_GE(num_blocks, kv_cache_.blocks_for(request->num_computed_tokens));
    referenced_at_most += num_blocks;
  }
  CHECK_LE(kv_cache_.pool().num_referenced(), referenced_at_most);
  int num_waiting = 0;
  for (const Request* request = waiting_.front(); request != nullptr; request = request->next) {
    CHECK(request->state == RequestState::kWaiting);
    CHECK(request->kv.block_table.empty());
    CHECK_EQ(request->num_computed_tokens, 0);
    CHECK_LT(previous, request->id);  // everyone who runs came before everyone who waits
    previous = request->id;
    ++num_waiting;
  }
  CHECK_EQ(num_waiting, waiting_.size());
}

}  // namespace twostroke

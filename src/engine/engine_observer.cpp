#include "engine/engine_observer.h"

namespace twostroke {
namespace {

// Items per step that the log has room for, on average: a step of more requests takes from others.
constexpr int kItemsPerStep = 4;
constexpr int kNumChanges = 4096;

}  // namespace

std::string_view request_change_name(RequestChangeKind kind) {
  switch (kind) {
    case RequestChangeKind::kQueued:
      return "queued";
    case RequestChangeKind::kScheduled:
      return "scheduled";
    case RequestChangeKind::kFirstToken:
      return "first_token";
    case RequestChangeKind::kPreempted:
      return "preempted";
    case RequestChangeKind::kEnded:
      return "ended";
    case RequestChangeKind::kDelivered:
      break;
  }
  return "delivered";
}

EngineObserver::EngineObserver(int num_steps, int num_finished_requests, int kv_block_tokens)
    : journal_(num_finished_requests),
      steps_(num_steps, num_steps * kItemsPerStep),
      changes_(kNumChanges),
      deliveries_(kNumChanges),
      kv_block_tokens_(kv_block_tokens) {
  kv_.store({});
  cost_model_.store(CostModel());
}

void EngineObserver::on_delivered(const RequestChange& change) {
  const std::lock_guard lock(delivery_mutex_);
  deliveries_.append(change);
}

std::shared_ptr<const void> EngineObserver::take_seat(int max_seats) {
  if (seats_taken_->fetch_add(1) >= max_seats) {
    seats_taken_->fetch_sub(1);
    return nullptr;
  }
  return {seats_taken_.get(), [seats = seats_taken_](const void*) { seats->fetch_sub(1); }};
}

KvCounts EngineObserver::kv() const {
  KvCounts counts;
  kv_.load(counts);
  return counts;
}

CostModel EngineObserver::cost_model() const {
  CostModel model;
  cost_model_.load(model);
  return model;
}

}  // namespace twostroke

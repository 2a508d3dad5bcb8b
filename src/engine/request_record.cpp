#include "engine/request_record.h"

#include <algorithm>
#include <utility>

#include "engine/tallies.h"

namespace twostroke {

namespace {

// For steps that were given up or computed again.
constexpr int kSpareChunks = 8;

}  // namespace

std::string_view request_kind_name(RequestKind kind) {
  switch (kind) {
    case RequestKind::kChat:
      return "chat";
    case RequestKind::kCompletion:
      return "completion";
    case RequestKind::kEmbedding:
      return "embedding";
    case RequestKind::kLocal:
      break;
  }
  return "local";
}

std::string_view request_phase_name(RequestPhase phase) {
  switch (phase) {
    case RequestPhase::kWaiting:
      return "waiting";
    case RequestPhase::kPrefill:
      return "prefill";
    case RequestPhase::kDecode:
      return "decode";
    case RequestPhase::kPreempted:
      return "preempted";
    case RequestPhase::kDelivering:
      return "delivering";
    case RequestPhase::kFinished:
      break;
  }
  return "finished";
}

std::string_view request_end_name(RequestEnd end) {
  switch (end) {
    case RequestEnd::kComplete:
      return "complete";
    case RequestEnd::kDisconnect:
      return "disconnect";
    case RequestEnd::kWriteTimeout:
      return "write_timeout";
    case RequestEnd::kCancelled:
      return "cancelled";
    case RequestEnd::kError:
      return "error";
    case RequestEnd::kNone:
      break;
  }
  return "none";
}

RequestRecord::TimeLog::TimeLog(int capacity)
    : capacity_(capacity),
      times_(std::make_unique_for_overwrite<int64_t[]>(static_cast<size_t>(capacity))) {}

void RequestRecord::TimeLog::append(int64_t ns) {
  const int64_t index = num_added_.load(std::memory_order_relaxed);
  if (index < capacity_) times_[static_cast<size_t>(index)] = ns;
  num_added_.store(index + 1, std::memory_order_release);
}

std::vector<int64_t> RequestRecord::TimeLog::copy() const {
  const int64_t size = std::min(num_added(), capacity_);
  return {times_.get(), times_.get() + size};
}

RequestRecord::RequestRecord(RequestAbout about)
    : about_(std::move(about)),
      chunk_capacity_(std::min(about_.num_prompt_tokens + kSpareChunks, kMaxChunks)),
      chunks_(std::make_unique<SeqCell<PrefillChunk>[]>(static_cast<size_t>(chunk_capacity_))),
      sampled_(std::min(about_.max_tokens, kMaxTokenTimes)),
      sent_(std::min(about_.max_tokens, kMaxTokenTimes)) {
  RequestProgress progress;
  progress.events.received_ns = about_.received_ns;
  progress.ledger = Ledger(about_.received_ns);
  publish(progress);
}

void RequestRecord::publish(const RequestProgress& progress) {
  progress_.store(progress);
  phase_.store(progress.phase, std::memory_order_release);
  count_if_over();
}

void RequestRecord::add_chunk(const PrefillChunk& chunk) {
  const int size = num_chunks_.load(std::memory_order_relaxed);
  if (size < chunk_capacity_) {
    last_chunk_ = chunk;
    chunks_[static_cast<size_t>(size)].store(chunk);
    num_chunks_.store(size + 1, std::memory_order_release);
    return;
  }
  // A prompt in very many pieces: the last one that is kept stands for all that follow.
  const bool counts = last_chunk_.kind == ChunkKind::kComputed;
  if (chunk.kind == ChunkKind::kComputed) {
    last_chunk_.num_tokens = (counts ? last_chunk_.num_tokens : 0) + chunk.num_tokens;
    last_chunk_.kind = ChunkKind::kComputed;
  }
  last_chunk_.end_ns = chunk.end_ns;
  last_chunk_.own_ns += chunk.own_ns;
  chunks_[static_cast<size_t>(size) - 1].store(last_chunk_);
}

void RequestRecord::add_sampled(int64_t sampled_ns) {
  sampled_.append(sampled_ns);
  if (tallies_ != nullptr && last_sampled_ns_ >= 0) {
    tallies_->add_gap(sampled_ns - last_sampled_ns_);
  }
  last_sampled_ns_ = sampled_ns;
}

void RequestRecord::add_sent(int num_tokens, int64_t sent_ns) {
  for (int i = 0; i < num_tokens; ++i) sent_.append(sent_ns);
}

void RequestRecord::set_end(RequestEnd end) {
  RequestEnd none = RequestEnd::kNone;
  end_.compare_exchange_strong(none, end, std::memory_order_acq_rel);
}

// Two threads may find it over at once: one that delivered, one that gave up.
void RequestRecord::count_if_over() {
  if (tallies_ == nullptr || !is_over() || counted_.exchange(true)) return;
  tallies_->add_request(about_, progress());
}

// Who was told to stop and came to an end all the same has nobody to deliver to.
bool RequestRecord::is_over() const {
  const RequestPhase phase = this->phase();
  return phase == RequestPhase::kFinished ||
         (phase == RequestPhase::kDelivering &&
          end_.load(std::memory_order_acquire) != RequestEnd::kNone);
}

RequestProgress RequestRecord::progress() const {
  RequestProgress progress;
  progress_.load(progress);
  const RequestEnd end = end_.load(std::memory_order_acquire);
  if (end == RequestEnd::kNone) return progress;
  if (progress.phase == RequestPhase::kDelivering) progress.phase = RequestPhase::kFinished;
  if (progress.phase == RequestPhase::kFinished) progress.end = end;
  return progress;
}

std::vector<PrefillChunk> RequestRecord::chunks() const {
  const int size = num_chunks_.load(std::memory_order_acquire);
  std::vector<PrefillChunk> chunks(static_cast<size_t>(size));
  for (int i = 0; i < size; ++i) {
    chunks_[static_cast<size_t>(i)].load(chunks[static_cast<size_t>(i)]);
  }
  return chunks;
}

}  // namespace twostroke

#include "measure/progress_sink.h"

namespace twostroke {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

}  // namespace

bool ProgressSink::on_body(std::string_view bytes, int64_t now_ns) {
  const bool more = reader_.on_body(bytes, now_ns);
  if (seen_chunks_ == 0 && !record_.chunks.empty()) {
    progress_.waiting.fetch_sub(1, kRelaxed);
    progress_.decoding.fetch_add(1, kRelaxed);
    progress_.prompt_tokens.fetch_add(record_.planned_prompt_tokens, kRelaxed);
    progress_.last_ttft_ms.store(
        static_cast<double>(record_.first_token_ns - record_.sent_ns) / 1e6, kRelaxed);
  }
  for (; seen_chunks_ < record_.chunks.size(); ++seen_chunks_) {
    progress_.output_tokens.fetch_add(record_.chunks[seen_chunks_].num_tokens, kRelaxed);
    if (seen_chunks_ == 0) continue;
    const int64_t gap_ns =
        record_.chunks[seen_chunks_].at_ns - record_.chunks[seen_chunks_ - 1].at_ns;
    progress_.last_itl_ms.store(static_cast<double>(gap_ns) / 1e6, kRelaxed);
  }
  return more;
}

void ProgressSink::finish() {
  if (seen_chunks_ == 0) return;
  progress_.decoding.fetch_sub(1, kRelaxed);
  progress_.waiting.fetch_add(1, kRelaxed);  // send() takes it off
}

}  // namespace twostroke

// What a prefill beside it does to a decode: the gaps between tokens in two piles.
#include <algorithm>
#include <cmath>

#include "measure/report/load_summary.h"

namespace twostroke {
namespace {

struct Piles {
  std::vector<double> alone;
  std::vector<double> beside;
};

// The server said, with every token, how much prefill its step had.
Piles piles_by_tags(const std::vector<ClientRecord>& records) {
  Piles piles;
  for (const ClientRecord& record : records) {
    if (!record.ok()) continue;
    for (size_t i = 1; i < record.chunks.size(); ++i) {
      const ClientChunk& chunk = record.chunks[i];
      if (chunk.prefill_tokens < 0 || chunk.num_tokens < 1) continue;
      const double gap = static_cast<double>(chunk.at_ns - record.chunks[i - 1].at_ns) / 1e6;
      (chunk.prefill_tokens > 0 ? piles.beside : piles.alone).push_back(gap / chunk.num_tokens);
    }
  }
  return piles;
}

// Somebody else had been sent and had no token yet during some of the gap. That includes queueing,
// so it is a guess.
Piles piles_by_waiting(const std::vector<ClientRecord>& records) {
  struct Span {
    int64_t begin_ns, end_ns;
    const ClientRecord* of;
  };
  std::vector<Span> waits;
  for (const ClientRecord& record : records) {
    if (record.sent_ns < 0) continue;
    waits.push_back({record.sent_ns,
                     record.first_token_ns >= 0 ? record.first_token_ns : record.done_ns, &record});
  }
  std::sort(waits.begin(), waits.end(),
            [](const Span& a, const Span& b) { return a.begin_ns < b.begin_ns; });
  Piles piles;
  for (const ClientRecord& record : records) {
    if (!record.ok()) continue;
    size_t oldest = 0;  // waits before it ended before this request's gaps
    for (size_t i = 1; i < record.chunks.size(); ++i) {
      const int64_t begin_ns = record.chunks[i - 1].at_ns;
      const int64_t end_ns = record.chunks[i].at_ns;
      const int tokens = std::max(1, record.chunks[i].num_tokens);
      while (oldest < waits.size() && waits[oldest].end_ns <= begin_ns) ++oldest;
      bool beside = false;
      for (size_t w = oldest; w < waits.size() && waits[w].begin_ns < end_ns && !beside; ++w) {
        beside = waits[w].of != &record && waits[w].end_ns > begin_ns;
      }
      const double gap = static_cast<double>(end_ns - begin_ns) / 1e6 / tokens;
      (beside ? piles.beside : piles.alone).push_back(gap);
    }
  }
  return piles;
}

bool has_tags(const std::vector<ClientRecord>& records) {
  return std::any_of(records.begin(), records.end(), [](const ClientRecord& record) {
    return std::any_of(record.chunks.begin(), record.chunks.end(),
                       [](const ClientChunk& chunk) { return chunk.prefill_tokens >= 0; });
  });
}

}  // namespace

InterferenceSummary interference_of(const std::vector<ClientRecord>& records) {
  InterferenceSummary out;
  out.told_by_server = has_tags(records);
  const Piles piles = out.told_by_server ? piles_by_tags(records) : piles_by_waiting(records);
  out.num_alone = static_cast<int64_t>(piles.alone.size());
  out.num_beside_prefill = static_cast<int64_t>(piles.beside.size());
  if (!piles.alone.empty()) {
    out.alone_ms = mean_of(piles.alone);
    out.alone_p99_ms = quantile(piles.alone, 0.99);
  }
  if (!piles.beside.empty()) {
    out.beside_prefill_ms = mean_of(piles.beside);
    out.beside_prefill_p99_ms = quantile(piles.beside, 0.99);
    out.worst_ms = *std::max_element(piles.beside.begin(), piles.beside.end());
  }
  if (out.alone_ms > 0) out.factor = out.beside_prefill_ms / out.alone_ms;
  return out;
}

}  // namespace twostroke

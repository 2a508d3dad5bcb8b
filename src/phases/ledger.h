// The ledger of one request: its events, and every nanosecond of its life booked under exactly one
// cause. Plain data in, plain data out; the engine thread books, others read a finished copy.
// Definitions: docs/phases.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace twostroke {

enum class Cause : uint8_t {
  kParse,
  kTemplate,
  kTokenize,  // intake
  kWaitModel,
  kWaitKv,
  kWaitBatch,
  kWaitTurn,  // waiting
  kPrefillOwn,
  kPrefillOthers,  // prefill
  kDecodeOwn,
  kDecodeBatch,
  kDecodePrefill,
  kPreempted,  // decode
  kSample,
  kEngine,  // either
  kClient,  // delivery
};
inline constexpr int kNumCauses = 16;

// The name used in JSON, metrics, page and docs: "parse", "wait_kv", ...
std::string_view cause_name(Cause cause);

// Clock::now_ns() of each event; -1 where it did not happen.
struct RequestEvents {
  int64_t received_ns = -1;
  int64_t tokenized_ns = -1;
  int64_t queued_ns = -1;
  int64_t scheduled_ns = -1;
  int64_t first_token_ns = -1;
  int64_t last_token_ns = -1;
  int64_t finished_ns = -1;
};

// Intervals in ns, each 0 where its events did not happen; formulas in docs/phases.md.
struct RequestIntervals {
  int64_t intake_ns = 0, queue_ns = 0, prefill_ns = 0, decode_ns = 0, delivery_ns = 0, ttft_ns = 0;
  double tpot_ns = 0;  // decode_ns / (output tokens - 1); 0 with fewer than two tokens
};
RequestIntervals intervals_of(const RequestEvents& events, int num_output_tokens);

// Books time to causes along one line: each call covers the time since the previous one, so the sum
// is exact by construction.
class Ledger {
 public:
  explicit Ledger(int64_t received_ns) : booked_until_ns_(received_ns), received_ns_(received_ns) {}

  // Books [booked_until, until_ns) under `cause`; a time not after booked_until books nothing.
  void book_until(int64_t until_ns, Cause cause);
  // Moves up to `ns` already booked under `from` to `to` (a step's own/others split); the sum
  // stays.
  void move(Cause from, Cause to, int64_t ns);

  int64_t booked_until_ns() const { return booked_until_ns_; }
  int64_t total_ns() const { return booked_until_ns_ - received_ns_; }
  int64_t of(Cause cause) const { return causes_ns_[static_cast<size_t>(cause)]; }
  const std::array<int64_t, kNumCauses>& causes_ns() const { return causes_ns_; }

 private:
  std::array<int64_t, kNumCauses> causes_ns_{};  // sums to total_ns(), always
  int64_t booked_until_ns_;
  int64_t received_ns_;
};

}  // namespace twostroke

// Why a request was slow, and what would have helped: turns one ledger into a ranked list of
// levers, each with what pulling it would have gained and how that is known. Plain data in, plain
// data out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "phases/anatomy.h"
#include "phases/cost_model.h"
#include "phases/ledger.h"

namespace twostroke {

// Somebody else who had the time.
struct Culprit {
  RequestId request = 0;
  std::string phase;  // "prefill", "decode", "recompute"
  int64_t ns = 0;
};

// A part of the prompt that had been computed before and was computed again.
struct CacheLoss {
  std::string reason;            // cache_reason_name()
  std::string sentence;          // what differs and what it cost, for a person; may be empty
  int tokens = 0;                // computed again
  std::vector<int64_t> span_ns;  // [spans]: what of each span's prefill time that was
};

// All that explain looks at; what is not known stays empty or zero.
struct ExplainInput {
  std::array<int64_t, kNumCauses> causes_ns{};
  RequestIntervals intervals;
  int num_prompt_tokens = 0, num_cached_tokens = 0, num_output_tokens = 0, num_preemptions = 0;
  std::vector<PromptSpan> spans;
  std::vector<SpanCost> costs;  // [spans]
  CacheLoss cache;
  std::vector<Culprit> waited_for, interference;  // biggest first
  double prefill_percent_of_peak = 0, decode_percent_of_bandwidth = 0;
  CostModelError cost_model;

  int64_t of(Cause cause) const { return causes_ns[static_cast<size_t>(cause)]; }
};

// What is called slow: a time at or below its target is never blamed on the machine.
struct ExplainTargets {
  double ttft_ms = 1000;
  double tpot_ms = 100;  // ten tokens a second: faster than people read
};

enum class Lever : uint8_t {
  kHistory,          // earlier turns of the conversation
  kDocuments,        // retrieved or labelled texts
  kSchema,           // a JSON schema in the prompt
  kTools,            // definitions of tools
  kToolTraces,       // calls and results of tools
  kSystem,           // the system message
  kLastMessage,      // the question itself
  kCacheBreak,       // computed again what had been computed before
  kQueueing,         // waited for earlier prompts
  kBatchLimit,       // waited for a place among the running requests
  kPrefillBatching,  // others' tokens in the steps of its prefill
  kColdStart,        // the model was still loading
  kIntake,           // reading, templating, tokenizing
  kInterference,     // decode slowed by others' prompts
  kDecodeBatch,      // decode slowed by others' decodes
  kKvPressure,       // waited for KV memory, or lost it
  kSampling,         // sampling and grammar
  kSlowClient,       // the client did not take the answer
  kBandwidth,        // the model is too big for the memory's bandwidth
  kCompute,          // the prompt is too long for the machine
  kBusyMachine,      // decode far below what the memory gives: something else uses the machine
};
inline constexpr int kNumLevers = 21;
// "history", "documents", "schema", "tools", "tool_traces", ...
std::string_view lever_name(Lever lever);

struct Finding {
  Lever lever = Lever::kHistory;
  bool is_ttft = false;  // else it concerns tokens/s, or the end of the answer
  std::string title;     // one short clause
  std::string detail;    // what was seen
  std::string advice;    // what to do
  int64_t gain_ns = 0;  // what the request would have gained; an estimate unless known by measuring
  double share = 0;     // of TTFT or of the time after it
  std::string known_by;       // how the gain is known, and how well
  std::vector<size_t> spans;  // indices of the spans concerned
  std::vector<Culprit> culprits;
};

struct Verdict {
  std::string headline;                     // one sentence
  std::vector<Finding> findings;            // biggest gain first; empty: nothing stands out
  std::string prefill_limit, decode_limit;  // how near the machine's own limits the request ran
  ExplainTargets targets;
};

Verdict explain(const ExplainInput& input, const ExplainTargets& targets = {});

// The verdict as a person reads it, some lines ending with a newline.
std::string verdict_text(const Verdict& verdict);

}  // namespace twostroke

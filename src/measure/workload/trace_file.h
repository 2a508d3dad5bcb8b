// Traces of real services, by their lengths and times alone: Mooncake's JSONL, Azure's and
// BurstGPT's CSV. What a prompt says is not in them; equal block hashes say what prompts have in
// common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace twostroke {

struct TraceRow {
  int64_t at_ns = 0;  // since the first row
  int prompt_tokens = 0;
  int output_tokens = 0;
  std::vector<int64_t> hash_ids;  // of blocks of kTraceBlockTokens; the last may be partial
};
inline constexpr int kTraceBlockTokens = 512;

// In order of time. Recognised by content: lines of JSON (`timestamp` in ms, `input_length`,
// `output_length`, `hash_ids`), or CSV with a header line: TIMESTAMP, ContextTokens,
// GeneratedTokens (a date or seconds), or Timestamp, Request tokens, Response tokens. Errors name
// line and column.
Result<std::vector<TraceRow>> parse_trace(std::string_view text);

// "2023-11-16 18:17:03.9799600", "2024-05-10T00:00:00.009930+00:00" or a number of seconds, in ns
// since some fixed day. kInvalidArgument otherwise.
Result<int64_t> parse_trace_time(std::string_view text);

}  // namespace twostroke

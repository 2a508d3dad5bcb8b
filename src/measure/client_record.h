// ClientRecord: what a client saw of one request. Plain data; times are nanoseconds since the
// start of the run it belongs to, -1 for what never happened.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace twostroke {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

enum class ClientErrorKind {
  kNone,
  kConnect,       // no connection
  kTimeout,       // connect, idle or total
  kRefused,       // 429 or 503: the server has no room
  kHttpStatus,    // any other status that is not 200
  kServerError,   // an error object within the stream
  kDisconnected,  // the stream was cut
  kMalformed,     // not HTTP, not SSE or not JSON
  kNoTokens,      // a good end without a single token
  kCancelled,     // by us: the run was stopped
};

// How the tokens in a chunk were counted.
enum class TokenSource {
  kChunks,           // one chunk, one token: an assumption, checked against usage in the end
  kContinuousUsage,  // the server said with every chunk
  kSpread,           // usage said more tokens than there were chunks; spread evenly: an estimate
};

// One SSE event that brought tokens.
struct ClientChunk {
  int64_t at_ns = -1;
  int num_tokens = 1;
  // Prompt tokens of other requests computed in the same step, where the server tells; -1 where
  // not.
  int prefill_tokens = -1;
};

// What the server says about the request itself; kUnknown where it does not.
struct ToldTimings {
  double prompt_ms = kUnknown;     // llama-server's `timings`
  double predicted_ms = kUnknown;  // the same
  double queue_ms = kUnknown;      // our `phases`
  double prefill_ms = kUnknown;
  double decode_ms = kUnknown;
  double ttft_ms = kUnknown;
  double interference_ms = kUnknown;  // cause decode_prefill
};

struct ClientRecord {
  int index = 0;      // in the plan
  std::string label;  // "victim", "attacker", "warmup", …; empty: an ordinary one
  int64_t scheduled_ns = -1;
  int64_t released_ns = -1;   // due and allowed to go: later than scheduled when it was held back
  int64_t sent_ns = -1;       // began to connect or to write
  int64_t connected_ns = -1;  // had a connection to write to
  int64_t first_byte_ns = -1;
  int64_t first_token_ns = -1;   // first text that is not empty, reasoning and tool calls included
  int64_t first_answer_ns = -1;  // first text that is not reasoning
  int64_t last_token_ns = -1;
  int64_t done_ns = -1;
  std::vector<ClientChunk> chunks;

  int requested_output_tokens = 0;
  int planned_prompt_tokens = 0;
  int prompt_tokens = -1;  // from usage
  int cached_tokens = -1;  // from usage or timings
  int output_tokens = 0;   // from usage; without one, counted
  bool has_usage = false;
  bool streamed = true;  // false: the answer came whole, so there is no first token to see
  TokenSource token_source = TokenSource::kChunks;
  std::string finish_reason;
  ToldTimings timings;

  int attempts = 1;  // more after a 429 or 503 that was worth waiting for
  int http_status = 0;
  double retry_after_s = kUnknown;
  ClientErrorKind error_kind = ClientErrorKind::kNone;
  std::string error;
  std::string text;  // only when it was asked to be kept

  bool ok() const { return error_kind == ClientErrorKind::kNone; }
};

const char* error_kind_name(ClientErrorKind kind);         // "refused"
ClientErrorKind error_kind_from(const std::string& name);  // kNone for a name that is none
const char* token_source_name(TokenSource source);
TokenSource token_source_from(const std::string& name);

}  // namespace twostroke

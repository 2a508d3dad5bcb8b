// GenerationReader: what the response to one generation request says, as it arrives, into a
// ClientRecord: which chunks are tokens and how many, when, and how it ended. Sans I/O. The rules
// of what counts as a token are here and nowhere else (docs/measuring.md has them in words):
//  - a chunk with text (content, reasoning, tool calls) is a token chunk; the role chunk, the usage
//    chunk, a finish chunk without text, comments and [DONE] are not;
//  - with cumulative counts in every chunk (continuous usage) a chunk has as many tokens as it
//    added, and a chunk that added some is a token chunk even if its text is still empty (half a
//    code point), once there has been text;
//  - without, one chunk is one token until usage says otherwise in the end.
#pragma once

#include <string>
#include <string_view>

#include "measure/client_record.h"
#include "measure/http_exchange.h"
#include "measure/json_value.h"
#include "measure/sse_parser.h"

namespace twostroke {

class GenerationReader final : public ResponseSink {
 public:
  // `record` outlives the reader. Times are written relative to `origin_ns`.
  GenerationReader(ClientRecord& record, int64_t origin_ns, bool keep_text);

  void on_connected(int64_t now_ns, bool reused) override;
  void on_head(const HttpHead& head, int64_t now_ns) override;
  bool on_body(std::string_view bytes, int64_t now_ns) override;

  // The exchange is over: judges it, and settles the token counts.
  void finish(const ExchangeOutcome& outcome, int64_t now_ns);

 private:
  void on_event(const SseEvent& event, int64_t now_ns);
  void on_chunk(const Json& chunk, int64_t now_ns);
  void on_text(bool answer, std::string_view text, bool has_text, const Json& chunk,
               int64_t now_ns);
  void read_usage(const Json& chunk);
  void read_timings(const Json& chunk);
  void read_whole();
  void fail(ClientErrorKind kind, std::string message);
  void judge(const ExchangeOutcome& outcome);
  void judge_status();
  void settle_tokens();

  ClientRecord& record_;
  const int64_t origin_ns_;
  const bool keep_text_;
  SseParser sse_;
  std::string body_;  // of what is not a stream
  bool is_sse_ = false;
  bool done_marker_ = false;  // [DONE]
  int told_tokens_ = -1;      // the latest cumulative count
  int booked_tokens_ = 0;     // of told_tokens_, those in chunks
};

}  // namespace twostroke

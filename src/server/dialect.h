// ReplyDialect: another API's words for an answer (OpenAI's Responses, Anthropic's Messages), and
// the reply source that speaks them, streamed or whole. One per reply, used on the I/O thread.
#pragma once

#include <memory>
#include <string>

#include "server/generation.h"
#include "server/response_timings.h"

namespace twostroke {

struct EndedReply {
  const ReplyAssembly& assembly;
  const RequestSummary& summary;
  Usage usage;
  int64_t reasoning_tokens = 0;  // up to the first piece that is no reasoning
};

class ReplyDialect {
 public:
  virtual ~ReplyDialect() = default;
  // The events of a stream, in their order. `part`: where the delta went.
  virtual void begin(int prompt_tokens, std::string& out) = 0;
  virtual void add(const ReplyDelta& delta, const ReplyPart& part, std::string& out) = 0;
  virtual void end(const EndedReply& ended, std::string& out) = 0;
  virtual void fail(const Error& error, std::string& out) = 0;
  // The reply in one piece.
  virtual std::string whole(const EndedReply& ended) = 0;
  virtual Reply refusal(const Error& error) const = 0;
};

// REQUIRES: base has one choice.
std::unique_ptr<ReplySource> make_dialect_generation(GenerationBase base,
                                                     std::unique_ptr<ReplyDialect> dialect,
                                                     bool stream);

// "event: TYPE\ndata: {...}\n\n", TYPE being the event's own "type".
void append_named_sse(std::string& out, const OrderedJson& event);
// The headers of an event stream.
void set_event_stream_headers(Reply& reply);

}  // namespace twostroke

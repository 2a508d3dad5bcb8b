// SseParser: server-sent events from bytes as they come, however the network cut them. Sans I/O;
// one stream, one parser. Source: WHATWG HTML, "Server-sent events", §9.2.6. Not `id:` and
// `retry:`, which mean nothing here.
#pragma once

#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/result.h"

namespace twostroke {

struct SseEvent {
  std::string_view event;  // "" unless the server named one
  std::string_view data;   // several data lines are joined with '\n'
};

class SseParser {
 public:
  using OnEvent = FunctionRef<void(const SseEvent&)>;

  explicit SseParser(size_t max_event_bytes = size_t{4} << 20)
      : max_event_bytes_(max_event_bytes) {}

  // Calls back for each event that is now complete; the views live for the call only.
  // kTooLarge when one event, or one line, is longer than the limit; the parser is then of no use.
  Status feed(std::string_view bytes, OnEvent on_event);

  // Text of an event has begun that no empty line has ended: the stream was cut.
  bool has_partial_event() const { return !line_.empty() || has_data_; }

 private:
  void take_line(std::string_view line, OnEvent on_event);

  size_t max_event_bytes_;
  std::string line_;  // an incomplete line
  std::string data_;
  std::string event_;
  bool has_data_ = false;
  bool after_cr_ = false;  // a '\n' now belongs to the line already taken
  bool at_start_ = true;   // a byte order mark may come
};

}  // namespace twostroke

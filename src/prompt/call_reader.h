// CallReader: reads what follows a marker that opens tool calls, one character at a time, and says
// as early as it can what it has: a call's name, then pieces of its arguments. Until it has
// announced a call it may find that this is none; after that the call stands, whatever follows.
// One per marker that was met; owned by a ReplyParser.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "prompt/reply_format.h"

namespace twostroke {

// Where a reader's findings go.
class CallSink {
 public:
  virtual ~CallSink() = default;
  virtual void start_call(std::string_view name) = 0;
  virtual void add_arguments(std::string_view text) = 0;  // of the call started last
};

// Whether the request has a tool of that name.
using IsKnownTool = std::function<bool(std::string_view name)>;

class CallReader {
 public:
  enum class Status {
    kMore,
    kDone,
    kDoneByNext,  // over before this character, which is not part of it
    kNotACall,    // nothing was announced, and nothing will be
    kContent,     // a header that only says that content follows
  };
  virtual ~CallReader() = default;
  virtual Status push(char c, CallSink& sink) = 0;
  // The text ends here. kMore means: no call was made of what came.
  virtual Status finish(CallSink& sink) = 0;
  // After kDone, kDoneByNext or finish(): text that was read and is no part of a call.
  virtual std::string take_rest() { return {}; }
};

// One JSON object with "name" and "arguments" or "parameters", in any order.
std::unique_ptr<CallReader> make_json_call_reader(IsKnownTool accept);
// An array of those.
std::unique_ptr<CallReader> make_json_array_reader(IsKnownTool accept);
// NAME DELIMITER {…}.
struct NamedCallWords {
  std::string_view skip = {};          // may come before the name; dropped with what is before it
  std::string_view delimiter = {};     // ends the name
  bool needs_delimiter = true;         // else the '{' may end it too
  std::string_view id_word = {};       // what is between it and the delimiter is the model's own id
  std::string_view fence = {};         // may stand between delimiter and '{', besides white space
  std::string_view content_name = {};  // this recipient is no tool: content follows
};
std::unique_ptr<CallReader> make_named_call_reader(const NamedCallWords& words, IsKnownTool accept);
// call:NAME{key:value,…}; strings stand between `quote`s, `close` ends the call.
std::unique_ptr<CallReader> make_gemma_call_reader(std::string_view quote, std::string_view close);
// NAME.call(key="text", …): Llama's built-in tools.
std::unique_ptr<CallReader> make_python_call_reader();
// Looks at the first character that is not white space: `bracket` chooses the first reader.
std::unique_ptr<CallReader> make_either_reader(char bracket, std::unique_ptr<CallReader> with,
                                               std::unique_ptr<CallReader> without);

}  // namespace twostroke

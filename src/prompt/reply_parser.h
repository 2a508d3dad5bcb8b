// ReplyParser: a model's answer, as it comes, becomes content, reasoning and calls of tools. How
// the text was cut into pieces does not change what comes out. What looks like a call and is none
// is content: text is never lost, except the words of the format itself and the white space around
// them. One per answer, one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "prompt/call_reader.h"
#include "prompt/reply_format.h"

namespace twostroke {

struct ReplyDelta {
  enum class Kind {
    kContent,
    kReasoning,
    kToolCall,       // `text` is its name; comes before its arguments
    kToolArguments,  // a piece of JSON text
  };
  Kind kind = Kind::kContent;
  int call = -1;  // of the tool kinds: counted from 0
  std::string text;
};

struct ReplyParserOptions {
  ReplyFormat format;                   // tools kNone: calls are content
  std::vector<std::string> tool_names;  // those of the request
  bool starts_in_reasoning = false;     // the prompt ends with the opening tag
  bool single_call = false;             // what follows the first call is left away
};

inline constexpr int kMaxCallsPerReply = 128;
// After so many texts that looked like calls and were none, markers are content: looking again at
// what a hostile answer repeats would take for ever.
inline constexpr int kMaxFailedCalls = 16;

class ReplyParser final : private CallSink {
 public:
  explicit ReplyParser(ReplyParserOptions options);
  ~ReplyParser() override;

  // `text` is whole code points where the deltas must be. Appends what is certain.
  void push(std::string_view text, std::vector<ReplyDelta>& out);
  // The answer is over: what was held back.
  void finish(std::vector<ReplyDelta>& out);

  int num_calls() const { return num_calls_; }

 private:
  // What a marker means where it is found.
  enum class Place { kAnywhere, kAtStart, kAfterCall };
  struct Marker {
    std::string_view text;
    Place place;
    bool opens_calls;  // else it is a closing word and left away
  };
  enum class Mode { kBeforeReasoning, kReasoning, kContent, kCall };

  void run();
  void take(char c);
  void take_before_reasoning(char c);
  void take_reasoning(char c);
  void take_content(char c);
  void take_call(char c);
  void end_call(CallReader::Status status, char c);
  void open_call(const Marker& marker);
  bool is_active(const Marker& marker) const;
  void give_up_call();
  void emit(ReplyDelta::Kind kind, std::string_view text);
  void emit_held(ReplyDelta::Kind kind, char c);
  std::unique_ptr<CallReader> reader_for(const Marker& marker) const;

  void start_call(std::string_view name) override;
  void add_arguments(std::string_view text) override;

  ReplyParserOptions options_;
  std::vector<Marker> markers_;
  Mode mode_ = Mode::kContent;
  std::string todo_;  // given, not yet looked at
  size_t todo_at_ = 0;
  std::string pending_;    // may become a marker or a tag
  std::string space_;      // white space that is text only if text follows
  std::string call_text_;  // what the reader has read, its marker included
  size_t marker_bytes_ = 0;
  std::unique_ptr<CallReader> reader_;
  std::vector<ReplyDelta>* out_ = nullptr;
  int num_calls_ = 0;
  int num_failed_calls_ = 0;
  bool drops_call_ = false;   // the call under way is one too many
  bool has_text_ = false;     // content since the last call, or since the start
  bool skips_space_ = false;  // white space here belongs to the format
};

}  // namespace twostroke

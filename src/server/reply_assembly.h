// ReplyAssembly: the deltas of an answer, put together again: an ordered list of content, reasoning
// and calls, each call with an id. One per choice, one thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "prompt/reply_parser.h"

namespace twostroke {

struct ReplyPart {
  ReplyDelta::Kind kind = ReplyDelta::Kind::kContent;  // kContent, kReasoning or kToolCall
  std::string text;                                    // a call's arguments
  std::string name, call_id;                           // of a call
};

class ReplyAssembly {
 public:
  // `format` decides how ids look: Mistral's templates take nine letters and digits.
  explicit ReplyAssembly(ToolCallFormat format = ToolCallFormat::kNone) : format_(format) {}

  // The part it went to; what came before may have been extended, never moved.
  const ReplyPart& add(const ReplyDelta& delta);

  const std::vector<ReplyPart>& parts() const { return parts_; }
  std::string content() const { return joined(ReplyDelta::Kind::kContent); }
  std::string reasoning() const { return joined(ReplyDelta::Kind::kReasoning); }
  bool has_calls() const;

 private:
  std::string joined(ReplyDelta::Kind kind) const;

  ToolCallFormat format_;
  std::vector<ReplyPart> parts_;
};

// Letters and digits that nobody can guess.
std::string random_id(size_t num_chars);

}  // namespace twostroke

// Helpers of the two kinds of generation reply (streamed_generation.cpp, whole_generation.cpp); not
// for others.
#pragma once

#include <optional>
#include <string>

#include "server/generation.h"

namespace twostroke {

Usage usage_of(const std::vector<Choice>& choices);
bool all_ended(const std::vector<Choice>& choices);
std::vector<RequestSummary> summaries_of(const std::vector<Choice>& choices);
void cancel_all(const GenerationBase& base);
// Reads what a token added; `last` also flushes what the parser holds back. REQUIRES:
// choice.parser.
std::vector<ReplyDelta> read_deltas(Choice& choice, std::string_view text, bool last);
// "tool_calls" where the model stopped after a call, else as finish_reason_json. REQUIRES: ended or
// about to end.
OrderedJson finish_reason_of(const Choice& choice, FinishReason reason);
// The error that the client must see, when the request did not end in the ordinary way.
std::optional<Error> error_of(const RequestSummary& summary);
// The "phases" of one choice. REQUIRES: ended.
OrderedJson phases_of(const GenerationBase& base, const Choice& choice);
std::string describe_generation(const std::vector<Choice>& choices);

}  // namespace twostroke

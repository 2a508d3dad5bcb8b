// The spans of a rendered prompt: which of its bytes came from which part of the request. Found by
// rendering a marked request beside the plain one (marked_request.h), not by looking for texts,
// wherever the template lets the marks through. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "prompt/chat_template.h"

namespace twostroke {

// `source`, `role` and `label` as in PromptSpan (phases/anatomy.h). Spans follow each other without
// a gap and cover the text.
struct TextSpan {
  std::string source, role, label;
  size_t num_bytes = 0;
  int64_t num_characters = 0;  // code points
};

// What is done to a request before the chat template gets it; empty: nothing.
using PrepareRequest = std::function<nlohmann::ordered_json(const nlohmann::ordered_json&)>;

// `text` is what `chat_template` rendered of `request` once it was prepared. Never fails: what
// cannot be traced belongs to the template. `how`, when given, is told which way it went.
enum class TraceMethod { kMarked, kMarkedExceptWords, kOnePartAtATime, kSearched };
std::vector<TextSpan> trace_spans(const ChatTemplate& chat_template,
                                  const nlohmann::ordered_json& request, std::string_view text,
                                  const PrepareRequest& prepare = {}, TraceMethod* how = nullptr);

// How many of the prompt's tokens each span has: a token belongs to the span that most of its bytes
// are in, the earlier one of two with the same. `lengths`: bytes that each token stands for in the
// text, 0 for one that the tokenizer added. The result sums to lengths.size().
std::vector<int> count_tokens(std::span<const TextSpan> spans, std::span<const size_t> lengths);

// Bytes of `text` that each token stands for, given what each one spells: the same, but for spaces
// that a tokenizer adds or swallows. They sum to text.size().
std::vector<size_t> align_tokens(std::string_view text, std::span<const std::string> spellings);

}  // namespace twostroke

// What may be changed about a request in a what-if: parts of its prompt, its cache, the batch, the
// length of the answer. A change and what is known of the request in, the size it would have out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "phases/anatomy.h"
#include "phases/what_if.h"

namespace twostroke {

enum class CacheChange {
  kSame,  // as it was for this request, as far as what is dropped leaves it
  kNone,
  kWarm,  // all that the prompt has in common with this request's
};

struct WhatIfChange {
  // Sources of spans ("message[3]", "tools", "system"), their labels, or groups: "history" (all
  // messages but the last), "documents".
  std::vector<std::string> drop;
  std::optional<int> prompt_tokens;  // after dropping: the prompt is this long
  CacheChange cache = CacheChange::kSame;
  std::optional<int> cached_tokens;  // instead of `cache`
  std::optional<int> output_tokens;
  std::optional<int> batch;
};

// With a dropped span goes the template's text behind it. kInvalidArgument (field "drop",
// "cached_tokens", …) when there is no such span or nothing is left of the prompt.
Result<RequestSize> changed_size(const RequestSize& measured, std::span<const PromptSpan> spans,
                                 const WhatIfChange& change, int block_tokens);

}  // namespace twostroke

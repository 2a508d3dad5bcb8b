#include "phases/what_if_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace twostroke {
namespace {

Error invalid(std::string message, std::string field) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

bool is_message(const PromptSpan& span) {
  return span.source.starts_with("message[");
}

std::string_view last_message_of(std::span<const PromptSpan> spans) {
  std::string_view last;
  for (const PromptSpan& span : spans) {
    if (is_message(span)) last = span.source;
  }
  return last;
}

bool is_meant(const PromptSpan& span, const std::string& name, std::string_view last_message) {
  if (span.source == "template") return false;
  if (span.source == name || (!span.label.empty() && span.label == name)) return true;
  if (name == "documents") return span.source.starts_with("document[");
  return name == "history" && is_message(span) && span.source != last_message;
}

// Which spans go: [spans].
Result<std::vector<bool>> dropped_spans(std::span<const PromptSpan> spans,
                                        const std::vector<std::string>& names) {
  std::vector<bool> dropped(spans.size(), false);
  const std::string_view last = last_message_of(spans);
  for (const std::string& name : names) {
    bool found = false;
    for (size_t i = 0; i < spans.size(); ++i) {
      if (!is_meant(spans[i], name, last)) continue;
      found = true;
      dropped[i] = true;
      if (i + 1 < spans.size() && spans[i + 1].source == "template") dropped[i + 1] = true;
    }
    if (found) continue;
    std::string known;
    for (const PromptSpan& span : spans) {
      if (span.source != "template") known += (known.empty() ? "" : ", ") + span.source;
    }
    return invalid(fmt::format("drop: the prompt has no part \"{}\"; it has: {}", name,
                               known.empty() ? "none that can be dropped" : known),
                   "drop");
  }
  // What ends the prompt asks the model to answer: it stays.
  if (!spans.empty() && spans.back().source == "template") dropped.back() = false;
  return dropped;
}

}  // namespace

Result<RequestSize> changed_size(const RequestSize& measured, std::span<const PromptSpan> spans,
                                 const WhatIfChange& change, int block_tokens) {
  RequestSize size = measured;
  const std::vector<bool> dropped = TRY(dropped_spans(spans, change.drop));
  int unchanged = measured.prompt_tokens;  // tokens before the first change
  for (size_t i = 0; i < spans.size(); ++i) {
    if (!dropped[i]) continue;
    unchanged = std::min(unchanged, spans[i].first_token);
    size.prompt_tokens -= spans[i].num_tokens;
  }
  if (change.prompt_tokens) {
    unchanged = std::min(unchanged, *change.prompt_tokens);
    size.prompt_tokens = *change.prompt_tokens;
  }
  if (size.prompt_tokens < 1) return invalid("drop: nothing is left of the prompt", "drop");
  size.output_tokens = std::max(1, change.output_tokens.value_or(measured.output_tokens));
  size.batch = change.batch.value_or(1);

  const int block = std::max(1, block_tokens);
  int cached = std::min(measured.cached_tokens, unchanged);
  if (change.cache == CacheChange::kNone) cached = 0;
  if (change.cache == CacheChange::kWarm) cached = unchanged;
  if (change.cached_tokens) {
    if (*change.cached_tokens >= size.prompt_tokens) {
      return invalid(
          fmt::format("cached_tokens is {}; the prompt would have {} tokens, and the last "
                      "one is always computed",
                      *change.cached_tokens, size.prompt_tokens),
          "cached_tokens");
    }
    cached = *change.cached_tokens;
  }
  // Only full blocks are kept, and the last token is computed.
  size.cached_tokens = std::min(cached, size.prompt_tokens - 1) / block * block;
  return size;
}

}  // namespace twostroke

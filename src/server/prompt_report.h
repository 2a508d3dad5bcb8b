// What is said about a request's prompt: the anatomy with its costs, and why (more of) its prefix
// was not reused. Put together from the archive, the request's chunks and the cost model; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "engine/engine_observer.h"
#include "phases/explain.h"
#include "server/json_text.h"
#include "server/prompt_archive.h"

namespace twostroke {

struct PromptReport {
  std::vector<PromptSpan> spans;
  std::vector<SpanCost> costs;  // [spans]
  CacheVerdict cache;
  CacheLoss loss;           // with the sentence; span_ns is [spans]
  OrderedJson cache_break;  // null: nothing was computed again
};

// `own_text`: the rendered prompt, when the report goes into that request's own reply; empty: only
// hashes and lengths are told, unless prompts are kept.
PromptReport report_on_prompt(const ArchivedPrompt& prompt, const PromptArchive& archive,
                              const EngineObserver& observer, int block_tokens,
                              std::string_view own_text);

// Sets "anatomy" and "cache" of a phases object.
void add_prompt_report(const PromptReport& report, OrderedJson& phases);

}  // namespace twostroke

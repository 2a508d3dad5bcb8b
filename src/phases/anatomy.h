// The anatomy of a prompt: which tokens came from which part of the request, and what each part
// cost. Plain data in, plain data out. Finding the spans is prompt's work (rendering the chat
// template); here they are counted, and a prefill's measured time is shared among them.
// Definitions: docs/phases.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "phases/cost_model.h"

namespace twostroke {

// A run of prompt tokens with one source. The spans of a prompt follow each other without a gap, so
// their tokens sum to the prompt's; one that shares all its tokens with a neighbour has none.
struct PromptSpan {
  // "template" (scaffolding), "system", "message[i]", "tools", "schema", "document[i]"
  std::string source{};
  std::string role{};   // of the message; empty: it is of none
  std::string label{};  // what the client calls it (a part's "label", a document's "title"); empty
  int first_token = 0;
  int num_tokens = 0;
  int64_t num_characters = 0;  // code points of the rendered prompt
};

// Tokens [first_token, first_token + num_tokens) of the prompt, computed in one step, and the time
// that was booked as their own.
struct ComputedChunk {
  int first_token = 0;
  int num_tokens = 0;
  int64_t own_ns = 0;
  bool is_aborted = false;  // the step was given up: it cost time, and its tokens come again
};

// What one span cost.
struct SpanCost {
  int cached_tokens = 0;    // their KV was there
  int computed_tokens = 0;  // by the chunks
  int64_t prefill_ns = 0;
};

// The cost of each of `spans`, in their order. Each chunk's time is shared among the spans it
// covers in proportion to what the cost model says their tokens add at their positions: an
// estimate; its sum, all chunks' own_ns, is exact. Tokens below `num_cached_tokens` count as
// cached.
std::vector<SpanCost> costs_of_spans(std::span<const PromptSpan> spans, int num_cached_tokens,
                                     std::span<const ComputedChunk> chunks, const CostModel& model);

// The same for tokens [first_token, end_token), of which no span need be made.
int64_t prefill_ns_of(int first_token, int end_token, std::span<const ComputedChunk> chunks,
                      const CostModel& model);

}  // namespace twostroke

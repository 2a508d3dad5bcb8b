// The decoder's activations: every buffer a step writes, allocated once. The engine thread owns it;
// inside a step workers write disjoint rows or columns of the shared buffers, and their own
// WorkerScratch.
#pragma once

#include <cstdint>
#include <vector>

#include "base/huge_buffer.h"
#include "base/result.h"
#include "model/decoder_spec.h"
#include "model/decoder_weights.h"
#include "model/linear.h"

namespace twostroke {

// Up to so many rows a step cuts each matrix over the threads (weights are read once); with more,
// each thread takes blocks of rows through whole layers (activations stay in its cache). Only speed
// depends on it.
inline constexpr int kFewRows = 32;
// Rows that one thread takes through a layer at once, at most.
inline constexpr int kRowBlock = 32;
// Floats between rows of the few-rows path's widest buffer: at a distance of 4 KiB (many models'
// gate|up) all rows would fall into the same L1 sets.
inline constexpr size_t kRowPadding = 16;
// Columns of the feed-forward computed at once within a block of rows: gate and up stay in L1/L2.
inline constexpr int kFfnSliceColumns = 64;
// Rows for which attention over a long context is cut into splits that threads share.
inline constexpr int kMaxSplitRows = 4;

struct WorkerScratch {
  uint8_t* linear = nullptr;
  uint8_t* attention = nullptr;
  uint8_t* embedding = nullptr;
  Activations input;      // [kRowBlock, widest input]
  Activations ffn;        // [kRowBlock, ffn]
  float* wide = nullptr;  // [kRowBlock, max(hidden, 2 * kFfnSliceColumns)], columns padded to 16
};

class Workspace {
 public:
  static Result<Workspace> allocate(const DecoderSpec& spec, const DecoderWeights& weights,
                                    int max_rows, int max_context, int num_workers);

  float* x = nullptr;          // [max_rows, hidden] the residual stream
  float* qkv = nullptr;        // [max_rows, qkv columns]; attention writes its output over q
  Activations head;            // [max_rows, hidden]
  float* head_tail = nullptr;  // [max_rows, 16] the last panel, where the vocabulary ends inside it
  // Of the few-rows path, [kFewRows, ...]:
  Activations input;      // [.., widest input]
  Activations ffn;        // [.., ffn]
  float* wide = nullptr;  // [.., max(gate_up columns, hidden) + kRowPadding]
  float* partials =
      nullptr;  // attention splits: [kMaxSplitRows * kv heads][splits, group, partial]
  std::vector<WorkerScratch> workers;

 private:
  HugeBuffer memory_;
};

}  // namespace twostroke

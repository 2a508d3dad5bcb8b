// Scores a text with a model, by llama.cpp's chunks and formula so that figures compare: the text
// is cut into chunks of `context` tokens, each read with an empty cache, and the second half of
// each chunk is scored. With a second model (the exact one) it also reports how far the two
// distributions are apart.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/model.h"

namespace twostroke {

struct PerplexityReport {
  int num_chunks = 0;
  int64_t num_scored_tokens = 0;
  double perplexity = 0;
  // Against the reference model, where one was given:
  bool has_reference = false;
  double reference_perplexity = 0;
  double mean_kl_divergence = 0;  // nats, of the model from the reference
  double top1_agreement = 0;      // [0, 1]
};

struct PerplexityOptions {
  int context = 512;   // tokens per chunk, >= 2
  int max_chunks = 0;  // 0: all
  TokenId first_token =
      kNoToken;  // replaces each chunk's first token (BOS), where the model wants one
};

// `progress(done, total)` is called after each chunk. Errors: fewer tokens than one chunk.
Result<PerplexityReport> score_perplexity(Model& model, Model* reference,
                                          std::span<const TokenId> tokens,
                                          const PerplexityOptions& options,
                                          const std::function<void(int, int)>& progress);

}  // namespace twostroke

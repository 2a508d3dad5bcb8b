// GoldenFile: token ids and the logits an independent model computed for them, as
// tests/golden/reference_model.py writes them: "TSGOLD01", int32 num_tokens, int32 vocab_size,
// int32 ids[num_tokens], float32 logits[num_tokens][vocab_size], little-endian.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace twostroke {

struct GoldenFile {
  std::vector<TokenId> tokens;  // a sequence from position 0
  int vocab_size = 0;
  std::vector<float> logits;  // [tokens.size(), vocab_size] what follows each token

  std::span<const float> logits_after(size_t token) const {
    const auto width = static_cast<size_t>(vocab_size);
    return std::span(logits).subspan(token * width, width);
  }
};

Result<GoldenFile> read_golden_file(const std::string& path);

}  // namespace twostroke

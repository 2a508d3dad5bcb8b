#include "testing/golden_file.h"

#include <fmt/format.h>

#include <cstring>

#include "base/mapped_file.h"

namespace twostroke {

Result<GoldenFile> read_golden_file(const std::string& path) {
  constexpr size_t kHeaderBytes = 16;
  const MappedFile file = TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  const auto corrupt = [&path](const std::string& message) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: {}", path, message), {}};
  };
  if (bytes.size() < kHeaderBytes || std::memcmp(bytes.data(), "TSGOLD01", 8) != 0) {
    return corrupt("not a golden file");
  }
  int32_t num_tokens = 0;
  int32_t vocab_size = 0;
  std::memcpy(&num_tokens, &bytes[8], sizeof(num_tokens));
  std::memcpy(&vocab_size, &bytes[12], sizeof(vocab_size));
  if (num_tokens < 1 || vocab_size < 1) return corrupt("expected tokens and a vocabulary");
  GoldenFile golden;
  golden.vocab_size = vocab_size;
  const size_t token_bytes = static_cast<size_t>(num_tokens) * sizeof(TokenId);
  const size_t logit_bytes = token_bytes * static_cast<size_t>(vocab_size);
  const size_t expected_bytes = kHeaderBytes + token_bytes + logit_bytes;
  if (bytes.size() != expected_bytes) {
    return corrupt(fmt::format("expected {} bytes, found {}", expected_bytes, bytes.size()));
  }
  golden.tokens.resize(static_cast<size_t>(num_tokens));
  golden.logits.resize(golden.tokens.size() * static_cast<size_t>(vocab_size));
  std::memcpy(golden.tokens.data(), &bytes[kHeaderBytes], token_bytes);
  std::memcpy(golden.logits.data(), &bytes[kHeaderBytes + token_bytes], logit_bytes);
  return golden;
}

}  // namespace twostroke

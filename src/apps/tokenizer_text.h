// TokenizerText: the engine's view of a tokenizer.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/token_text.h"
#include "tokenizer/tokenizer.h"

namespace twostroke {

class TokenizerText final : public TokenText {
 public:
  // `tokenizer` must outlive this; `vocab_size` is the model's, which may pad the tokenizer's.
  TokenizerText(const Tokenizer& tokenizer, int vocab_size);

  int vocab_size() const override { return vocab_size_; }
  void append_bytes(TokenId token, std::string& bytes) const override;
  void append_spelling(TokenId token, std::string& bytes) const override;
  std::span<const TokenId> end_of_generation_tokens() const override { return end_tokens_; }

 private:
  const Tokenizer& tokenizer_;
  int vocab_size_;
  std::vector<TokenId> end_tokens_;
};

}  // namespace twostroke

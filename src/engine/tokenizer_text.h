// TokenizerText: the tokenizer as the engine sees it. Immutable; any thread.
#pragma once

#include <string>
#include <vector>

#include "engine/token_text.h"
#include "tokenizer/tokenizer.h"

namespace twostroke {

class TokenizerText final : public TokenText {
 public:
  // `tokenizer` outlives it.
  explicit TokenizerText(const Tokenizer& tokenizer)
      : tokenizer_(tokenizer), end_tokens_(tokenizer.end_of_generation_ids()) {}

  int vocab_size() const override { return tokenizer_.vocab_size(); }
  void append_bytes(TokenId token, std::string& bytes) const override {
    // A model's head may be padded past the vocabulary; such a token stands for nothing.
    if (token < tokenizer_.vocab_size()) bytes += tokenizer_.token_to_piece(token, false);
  }
  std::span<const TokenId> end_of_generation_tokens() const override { return end_tokens_; }

 private:
  const Tokenizer& tokenizer_;
  std::vector<TokenId> end_tokens_;  // ascending
};

}  // namespace twostroke

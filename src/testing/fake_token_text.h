// FakeTokenText: a vocabulary for tests. Token t is the bytes pieces[t], or the letters 'a' + t %
// 26 where none are given.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/token_text.h"

namespace twostroke {

class FakeTokenText final : public TokenText {
 public:
  explicit FakeTokenText(int vocab_size, std::vector<TokenId> end_tokens = {},
                         std::vector<std::string> pieces = {})
      : vocab_size_(vocab_size), end_tokens_(std::move(end_tokens)), pieces_(std::move(pieces)) {}

  int vocab_size() const override { return vocab_size_; }
  void append_bytes(TokenId token, std::string& bytes) const override {
    const auto index = static_cast<size_t>(token);
    if (index < pieces_.size()) {
      bytes += pieces_[index];
    } else {
      bytes += static_cast<char>('a' + token % 26);
    }
  }
  std::span<const TokenId> end_of_generation_tokens() const override { return end_tokens_; }

 private:
  int vocab_size_;
  std::vector<TokenId> end_tokens_;
  std::vector<std::string> pieces_;
};

}  // namespace twostroke

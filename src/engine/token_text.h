// TokenText: the little the engine needs of a tokenizer: the bytes of a token, and which tokens end
// an answer. An interface, so that the engine is tested without a vocabulary. Thread contract:
// const methods from any thread.
#pragma once

#include <span>
#include <string>

#include "base/ids.h"

namespace twostroke {

class TokenText {
 public:
  virtual ~TokenText() = default;
  virtual int vocab_size() const = 0;
  // Appends the bytes `token` adds to a text that continues a prompt. May be part of a code point;
  // nothing for control tokens. REQUIRES: 0 <= token < vocab_size().
  virtual void append_bytes(TokenId token, std::string& bytes) const = 0;
  // The same, and the spelling of control tokens ("<|python_tag|>").
  virtual void append_spelling(TokenId token, std::string& bytes) const {
    append_bytes(token, bytes);
  }
  // Tokens after which an answer is over ("<|im_end|>", "</s>", ...). Sorted.
  virtual std::span<const TokenId> end_of_generation_tokens() const = 0;
};

}  // namespace twostroke

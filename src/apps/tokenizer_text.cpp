#include "apps/tokenizer_text.h"

namespace twostroke {

TokenizerText::TokenizerText(const Tokenizer& tokenizer, int vocab_size)
    : tokenizer_(tokenizer), vocab_size_(vocab_size) {
  for (TokenId token = 0; token < tokenizer.vocab_size(); ++token) {
    if (tokenizer.is_end_of_generation(token)) end_tokens_.push_back(token);
  }
}

void TokenizerText::append_bytes(TokenId token, std::string& bytes) const {
  // A model may have more rows than its tokenizer has tokens: those stand for nothing.
  if (token < tokenizer_.vocab_size()) tokenizer_.append_piece(token, bytes);
}

}  // namespace twostroke

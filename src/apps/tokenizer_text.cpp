#include "apps/tokenizer_text.h"

namespace twostroke {

TokenizerText::TokenizerText(const Tokenizer& tokenizer, int vocab_size)
    : tokenizer_(tokenizer),
      vocab_size_(vocab_size),
      end_tokens_(tokenizer.end_of_generation_ids()) {}

void TokenizerText::append_bytes(TokenId token, std::string& bytes) const {
  // A model may have more rows than its tokenizer has tokens: those stand for nothing.
  if (token < tokenizer_.vocab_size()) bytes += tokenizer_.token_to_piece(token, false);
}

void TokenizerText::append_spelling(TokenId token, std::string& bytes) const {
  if (token < tokenizer_.vocab_size()) bytes += tokenizer_.token_to_piece(token, true);
}

}  // namespace twostroke

#include "tokenizer/detokenizer.h"

#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

namespace twostroke {

Detokenizer::Detokenizer(const Tokenizer& tokenizer, DetokenizerOptions options)
    : tokenizer_(tokenizer), options_(options) {}

std::string Detokenizer::push(TokenId token) {
  std::string_view piece = tokenizer_.token_to_piece(token, !options_.skip_special);
  if (at_start_ && !tokenizer_.is_control(token)) {
    at_start_ = false;
    if (options_.strip_space_prefix && tokenizer_.adds_space_prefix() && piece.starts_with(' ')) {
      piece.remove_prefix(1);
    }
  }
  const std::string bytes = pending_.append(piece);
  pending_.clear();
  std::string text;
  for (size_t pos = 0; pos < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, pos);
    if (step.status == Utf8Status::kIncomplete) {
      pending_ = bytes.substr(pos);
      break;
    }
    if (step.status == Utf8Status::kValid) {
      text.append(bytes, pos, step.length);
    } else {
      text += kReplacement;
    }
    pos += step.length;
  }
  return text;
}

std::string Detokenizer::flush() {
  std::string text(pending_.empty() ? std::string_view() : kReplacement);
  pending_.clear();
  at_start_ = true;
  return text;
}

}  // namespace twostroke

// Detokenizer: the text of a generation, token by token, in whole code points. One per response,
// one thread.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace twostroke {

class Tokenizer;

struct DetokenizerOptions {
  bool skip_special = true;         // control and unknown tokens give no text
  bool strip_space_prefix = false;  // the text begins with the first word of a SentencePiece text
};

class Detokenizer {
 public:
  // `tokenizer` must outlive the object.
  explicit Detokenizer(const Tokenizer& tokenizer, DetokenizerOptions options = {});

  // The text that is certain after `token`: valid UTF-8, maybe empty. Bytes that can no longer
  // become a code point are U+FFFD; up to three that still can are held back. REQUIRES: token in
  // [0, vocab_size()).
  std::string push(TokenId token);
  // The end: what was held back becomes one U+FFFD. Ready for another text after that.
  std::string flush();

  bool has_pending() const { return !pending_.empty(); }

 private:
  const Tokenizer& tokenizer_;
  DetokenizerOptions options_;
  std::string pending_;  // the beginning of a code point
  bool at_start_ = true;
};

}  // namespace twostroke

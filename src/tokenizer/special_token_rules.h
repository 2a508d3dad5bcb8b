// SpecialTokenRules: what a file does not say about its special tokens, found from their texts: the
// end-of-turn token, which tokens end a generation, which swallow white space. The lists and their
// order of precedence are llama.cpp's, so that a model stops where it stops there. Used once, while
// a Vocabulary is made.
#pragma once

#include <span>
#include <string_view>

#include "tokenizer/vocabulary.h"

namespace twostroke {

class SpecialTokenRules {
 public:
  explicit SpecialTokenRules(Vocabulary& vocabulary) : vocabulary_(vocabulary) {}
  void apply(std::string_view pre, std::string_view model_name, std::string_view architecture);

 private:
  // The first of `names` that is a token becomes `id` and a control token, unless the file named
  // one.
  void detect(TokenId& id, std::span<const std::string_view> names);
  void mark_end_of_generation();
  // Three families where a name in the lists does not mean the end.
  void undo_false_ends();
  void set_stripping(std::string_view pre, std::string_view model_name,
                     std::string_view architecture);

  bool ends(std::string_view name) const;
  void set_attribute(std::string_view name, TokenAttribute attribute, bool on);
  uint8_t& attributes(TokenId id) { return vocabulary_.attributes_[static_cast<size_t>(id)]; }

  Vocabulary& vocabulary_;
};

}  // namespace twostroke

// PreTokenizer: cuts valid UTF-8 into words by a profile of pre_tokenizer_table.h. Words are byte
// ranges of the text; together they are the text. Immutable: any thread, each with a Scratch of its
// own.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/pre_tokenizer_table.h"
#include "tokenizer/regex.h"

namespace twostroke {

class PreTokenizer {
 public:
  struct Scratch {
    RegexScratch regex;
    std::vector<size_t> previous_ends;
  };

  static Result<PreTokenizer> create(const PreTokenizerProfile& profile);

  // Sets `ends` to the end offsets of the words, ascending; the last is text.size() unless the text
  // is empty. REQUIRES: `text` is valid UTF-8.
  void split(std::string_view text, Scratch& scratch, std::vector<size_t>& ends) const;

 private:
  struct Step {
    PreTokenizerStep::Kind kind;
    Regex regex;
  };
  PreTokenizer() = default;

  std::vector<Step> steps_;
};

}  // namespace twostroke

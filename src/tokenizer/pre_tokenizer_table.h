// The pre-tokenizers that model files name in `tokenizer.ggml.pre`: how each cuts text into words
// before BPE, and what else the name implies. Data only; pre_tokenizer.h runs it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace twostroke {

struct PreTokenizerStep {
  enum class Kind {
    kIsolate,      // each match, and each stretch between matches, is a piece
    kGroupDigits,  // as kIsolate, and each match is cut into groups of three code points from its
                   // right end
  };
  Kind kind = Kind::kIsolate;
  std::string_view pattern;  // Perl syntax; \s and \S mean Unicode's White_Space
};

struct PreTokenizerProfile {
  std::vector<std::string_view> names;
  std::vector<PreTokenizerStep> steps;  // each applied to every piece of the one before
  bool byte_level = true;               // text becomes the byte alphabet; otherwise it stays UTF-8
  bool escape_spaces = false;           // ' ' becomes U+2581 first
  bool ignore_merges = false;    // a word that is a token is that token, whatever the merges say
  bool newline_words = false;    // a run of newlines that is a token is that token
  bool default_add_bos = false;  // when the file does not say
  bool force_add_bos = false;    // whatever the file says
  bool default_bos = true;       // false: no BOS unless the file names one
};

// nullptr when nothing is known by that name.
const PreTokenizerProfile* find_pre_tokenizer(std::string_view name);

// All names, in the table's order, separated by ", ".
std::string known_pre_tokenizers();

const std::vector<PreTokenizerProfile>& all_pre_tokenizers();

}  // namespace twostroke

// SpecialMatcher: finds special and user-defined tokens in raw text before anything else happens to
// it. The longest token anywhere in the text wins, then the leftmost (llama.cpp's order); what is
// left between them is ordinary text. Immutable: any thread.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace twostroke {

// Either a token, or a stretch of ordinary text.
struct TextFragment {
  TokenId token = kNoToken;
  std::string_view text;  // empty for a token
};

class SpecialMatcher {
 public:
  explicit SpecialMatcher(const Vocabulary& vocabulary);

  // `with_control`: control and unknown tokens too; user-defined tokens always.
  std::vector<TextFragment> partition(std::string_view text, bool with_control) const;

 private:
  struct Node {  // of a trie; children are a linked list
    int32_t first_child = -1;
    int32_t next_sibling = -1;
    TokenId token = kNoToken;
    char byte = 0;
  };
  struct Candidate {
    size_t begin = 0;
    size_t length = 0;
    TokenId token = kNoToken;
  };
  void insert(std::string_view text, TokenId token);
  int32_t child(int32_t node, char byte) const;
  // The longest token at `begin` that has at most `max_length` bytes.
  Candidate longest_at(std::string_view text, size_t begin, size_t max_length,
                       bool with_control) const;
  std::vector<Candidate> all_candidates(std::string_view text, bool with_control) const;
  std::vector<Candidate> choose(std::string_view text, bool with_control) const;

  const Vocabulary& vocabulary_;
  std::vector<Node> nodes_;
  std::array<bool, 256> can_begin_ = {};
};

}  // namespace twostroke

// BpeEncoder: byte-level BPE (GPT-2 and after), and BPE over raw UTF-8 with byte tokens (gemma 4).
// Bytes that are no UTF-8 are encoded as U+FFFD, one for each.
#pragma once

#include <array>
#include <memory>

#include "tokenizer/bpe_merges.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/space_boundary.h"
#include "tokenizer/text_encoder.h"
#include "tokenizer/vocab_data.h"

namespace twostroke {

class BpeEncoder final : public TextEncoder {
 public:
  // `vocabulary` and `profile` must outlive the encoder.
  static Result<std::unique_ptr<TextEncoder>> create(const VocabData& data,
                                                     const Vocabulary& vocabulary,
                                                     const PreTokenizerProfile& profile);

  void encode(std::string_view text, bool after_special, EncodeScratch& scratch,
              std::vector<TokenId>& output) const override;

 private:
  BpeEncoder(const Vocabulary& vocabulary, const PreTokenizerProfile& profile, BpeMerges merges,
             PreTokenizer pre_tokenizer);
  void index_whole_words();
  void find_boundaries();
  TokenId whole_word(std::string_view word) const;  // or kNoToken
  void encode_word(std::string_view word, EncodeScratch& scratch,
                   std::vector<TokenId>& output) const;
  void append_symbol(const Symbol& symbol, std::string_view word,
                     std::vector<TokenId>& output) const;

  const Vocabulary& vocabulary_;
  const PreTokenizerProfile& profile_;
  BpeMerges merges_;
  PreTokenizer pre_tokenizer_;
  std::array<int32_t, 256> byte_symbols_ = {};  // byte-level: symbol of each byte
  std::array<std::vector<TokenId>, 256>
      byte_fallback_;       // what a byte of a non-token symbol becomes
  StringIndex word_index_;  // ignore_merges: bytes -> word_tokens_
  std::vector<TokenId> word_tokens_;
  SpaceBoundary boundary_;  // escape_spaces only
};

}  // namespace twostroke

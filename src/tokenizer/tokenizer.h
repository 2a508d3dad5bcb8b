// Tokenizer: text <-> tokens of one model, as its GGUF file defines them and llama.cpp reads them.
// The room's front door; Detokenizer (detokenizer.h) is the other, for text that arrives token by
// token. Immutable after load: every method is const and any number of threads may call it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "tokenizer/vocab_data.h"

namespace twostroke {

class GgufFile;
class SpecialMatcher;
class TextEncoder;
class Vocabulary;

struct EncodeOptions {
  bool add_special = false;  // BOS before and EOS after, where the model wants them
  bool parse_special =
      false;  // text such as "<|im_end|>" becomes that token; user-defined tokens always do
};

struct DecodeOptions {
  bool skip_special = false;       // control and unknown tokens give no text
  bool strip_space_prefix = true;  // drop the space that SentencePiece put before the first word
};

class Tokenizer {
 public:
  static constexpr size_t kMaxTextBytes = size_t{1} << 30;

  // Errors name the metadata key: an unsupported tokenizer model or pre-tokenizer is kUnsupported.
  static Result<std::unique_ptr<Tokenizer>> load(const GgufFile& file);
  static Result<std::unique_ptr<Tokenizer>> create(const VocabData& data);
  ~Tokenizer();

  // Any bytes. Bytes that are not UTF-8 are kept by SentencePiece vocabularies (byte tokens) and
  // are encoded as U+FFFD, one for each, by BPE ones. REQUIRES: text.size() <= kMaxTextBytes.
  std::vector<TokenId> encode(std::string_view text, EncodeOptions options = {}) const;

  // Valid UTF-8: what the tokens' bytes leave invalid becomes U+FFFD. REQUIRES: every id in [0,
  // vocab_size()).
  std::string decode(std::span<const TokenId> tokens, DecodeOptions options = {}) const;

  // The bytes a token stands for, which may be part of a code point; empty for a control or unknown
  // token unless `special`. The view lives as long as the tokenizer. REQUIRES, as below: id in [0,
  // vocab_size()).
  std::string_view token_to_piece(TokenId id, bool special) const;
  std::string_view token_bytes(TokenId id) const { return token_to_piece(id, true); }
  std::string_view token_text(TokenId id) const;  // as the file spells it
  // The token that the file spells `text`, or kNoToken.
  TokenId find_token(std::string_view text) const;

  int vocab_size() const;
  size_t max_token_bytes() const;  // so text of more than N * this bytes has more than N tokens
  TokenId bos_id() const;          // these are kNoToken when the model has none
  TokenId eos_id() const;
  TokenId eot_id() const;
  TokenId unk_id() const;
  TokenId pad_id() const;
  bool adds_bos() const { return add_bos_; }
  bool adds_eos() const { return add_eos_; }
  bool adds_space_prefix() const { return add_space_prefix_; }
  bool is_end_of_generation(TokenId id) const;
  std::vector<TokenId> end_of_generation_ids() const;  // ascending
  bool is_control(TokenId id) const;

 private:
  Tokenizer();

  std::unique_ptr<const Vocabulary> vocabulary_;
  std::unique_ptr<const SpecialMatcher> special_matcher_;
  std::unique_ptr<const TextEncoder> encoder_;
  bool add_bos_ = false;
  bool add_eos_ = false;
  bool add_space_prefix_ = false;
};

}  // namespace twostroke

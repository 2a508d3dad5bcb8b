// Vocabulary: the tokens at run time: text, kind, the bytes each stands for, and which ids are
// special. Does not encode. Owns its strings. Immutable after create: any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tokenizer/string_index.h"
#include "tokenizer/vocab_data.h"

namespace twostroke {

// A token has one type in the file, but control-looking names add kControl, as llama.cpp decides.
enum TokenAttribute : uint8_t {
  kAttrNormal = 1,
  kAttrUnknown = 2,
  kAttrControl = 4,
  kAttrUserDefined = 8,
  kAttrByte = 16,
  kAttrStripLeft = 32,   // swallows white space before it
  kAttrStripRight = 64,  // and after it
};

struct SpecialIds {
  TokenId bos = kNoToken;
  TokenId eos = kNoToken;
  TokenId eot = kNoToken;  // end of turn
  TokenId eom = kNoToken;  // end of message
  TokenId unk = kNoToken;
  TokenId pad = kNoToken;
  TokenId fim_pad = kNoToken;
  TokenId fim_rep = kNoToken;
  TokenId fim_sep = kNoToken;
};

class Vocabulary {
 public:
  // `spelling` says how a normal token's text becomes bytes.
  enum class Spelling { kByteAlphabet, kEscapedSpaces };
  static Result<std::unique_ptr<Vocabulary>> create(const VocabData& data, Spelling spelling);

  int size() const { return static_cast<int>(attributes_.size()); }
  std::string_view text(TokenId id) const {
    return texts_[static_cast<size_t>(id)];
  }  // as in the file
  std::string_view bytes(TokenId id) const {
    return bytes_[static_cast<size_t>(id)];
  }  // as decoded
  uint8_t attributes(TokenId id) const {
    return attributes_[static_cast<size_t>(id)];
  }  // TokenAttribute
  bool has(TokenId id, int attributes) const { return (this->attributes(id) & attributes) != 0; }
  // The first token whose text is `text`, or kNoToken.
  TokenId find(std::string_view text) const;
  // The token "<0x..>" (or, without one, the token that is just that byte), or kNoToken.
  TokenId find_byte(uint8_t byte) const;

  const SpecialIds& special() const { return special_; }
  bool is_end_of_generation(TokenId id) const { return ends_generation_[static_cast<size_t>(id)]; }
  size_t max_token_bytes() const { return max_token_bytes_; }

 private:
  friend class SpecialTokenRules;
  Vocabulary() = default;
  Status copy_tokens(const VocabData& data);
  Status copy_special_ids(const VocabData& data);
  void spell_tokens(Spelling spelling);

  std::string text_arena_;
  std::string byte_arena_;
  std::vector<std::string_view> texts_;
  std::vector<std::string_view> bytes_;
  std::vector<uint8_t> attributes_;
  std::vector<bool> ends_generation_;
  StringIndex index_;                 // over distinct texts
  std::vector<TokenId> id_of_index_;  // index_ -> first token with that text
  SpecialIds special_;
  size_t max_token_bytes_ = 1;
};

}  // namespace twostroke

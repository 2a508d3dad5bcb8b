// Tiny vocabularies by hand, for this room's tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_data.h"

namespace twostroke::testing_vocabularies {

// Owns the strings that a VocabData views.
struct HandMade {
  VocabData data;
  std::vector<std::unique_ptr<std::string>> strings;

  TokenId add(std::string text, TokenType type = TokenType::kNormal, float score = 0.0F) {
    strings.push_back(std::make_unique<std::string>(std::move(text)));
    data.tokens.push_back(*strings.back());
    data.types.push_back(type);
    data.scores.push_back(score);
    return static_cast<TokenId>(data.tokens.size()) - 1;
  }
  // A merge whose result becomes a token. Parts are written in the byte alphabet.
  TokenId merge(const std::string& left, const std::string& right) {
    strings.push_back(std::make_unique<std::string>(left + " " + right));
    data.merges.push_back(*strings.back());
    return add(left + right);
  }
  std::unique_ptr<Tokenizer> build() const {
    auto tokenizer = Tokenizer::create(data);
    CHECK(tokenizer.ok());
    return std::move(tokenizer).value();
  }
};

// Tokens 0 to 255 are the bytes.
inline HandMade byte_level() {
  HandMade made;
  made.data.pre = "gpt-2";
  for (int byte = 0; byte < 256; ++byte) {
    made.add(std::string(ByteAlphabet::instance().letter(static_cast<uint8_t>(byte))));
  }
  return made;
}

// <unk> <s> </s>, the 256 byte tokens from 3 on, then what the test adds.
inline HandMade sentence_piece() {
  HandMade made;
  made.data.kind = TokenizerKind::kSentencePiece;
  made.data.unk_id = made.add("<unk>", TokenType::kUnknown);
  made.data.bos_id = made.add("<s>", TokenType::kControl);
  made.data.eos_id = made.add("</s>", TokenType::kControl);
  made.data.add_bos = true;
  made.data.add_space_prefix = true;
  const std::string digits = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; ++byte) {
    made.add(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", TokenType::kByte);
  }
  return made;
}

}  // namespace twostroke::testing_vocabularies

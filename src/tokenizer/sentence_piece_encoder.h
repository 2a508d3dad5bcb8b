// SentencePieceEncoder: the BPE of SentencePiece (llama, gemma, phi-3): adjacent pieces merge when
// together they are a token, best score first; what stays no token becomes byte tokens. Takes any
// bytes.
#pragma once

#include <array>
#include <memory>

#include "tokenizer/space_boundary.h"
#include "tokenizer/text_encoder.h"
#include "tokenizer/vocabulary.h"

namespace twostroke {

class SentencePieceEncoder final : public TextEncoder {
 public:
  // `vocabulary` must outlive the encoder.
  static Result<std::unique_ptr<TextEncoder>> create(const VocabData& data,
                                                     const Vocabulary& vocabulary);

  void encode(std::string_view text, bool after_special, EncodeScratch& scratch,
              std::vector<TokenId>& output) const override;

 private:
  // Control, unknown and byte tokens never come out of text: SentencePiece keeps them out of its
  // merges, and so a user cannot type one.
  struct Piece {
    TokenId token = kNoToken;
    int32_t priority = 0;  // orders as -score
  };
  struct Pairs;

  SentencePieceEncoder(const VocabData& data, const Vocabulary& vocabulary);
  const Piece* find(std::string_view text) const;
  void encode_word(std::string_view word, EncodeScratch& scratch,
                   std::vector<TokenId>& output) const;
  void append_bytes(std::string_view bytes, std::vector<TokenId>& output) const;

  bool add_space_prefix_;
  TokenId unk_id_;
  StringIndex index_;  // text -> pieces_
  std::vector<Piece> pieces_;
  size_t max_piece_bytes_ = 0;
  SpaceBoundary boundary_;
  std::array<TokenId, 256> byte_tokens_ = {};
};

}  // namespace twostroke

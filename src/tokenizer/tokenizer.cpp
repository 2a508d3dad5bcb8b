#include "tokenizer/tokenizer.h"

#include <fmt/format.h>

#include "tokenizer/bpe_encoder.h"
#include "tokenizer/sentence_piece_encoder.h"
#include "tokenizer/special_matcher.h"
#include "tokenizer/utf8.h"
#include "tokenizer/vocab_loader.h"
#include "tokenizer/vocabulary.h"

namespace twostroke {

Tokenizer::Tokenizer() = default;
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::load(const GgufFile& file) {
  return create(TRY(load_vocab_data(file)));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::create(const VocabData& data) {
  std::unique_ptr<Tokenizer> tokenizer(new Tokenizer);
  if (data.kind == TokenizerKind::kBpe) {
    const PreTokenizerProfile* profile = TRY(get_pre_tokenizer(data.pre));
    tokenizer->vocabulary_ =
        TRY(Vocabulary::create(data, profile->escape_spaces ? Vocabulary::Spelling::kEscapedSpaces
                                                            : Vocabulary::Spelling::kByteAlphabet));
    tokenizer->encoder_ = TRY(BpeEncoder::create(data, *tokenizer->vocabulary_, *profile));
  } else {
    tokenizer->vocabulary_ = TRY(Vocabulary::create(data, Vocabulary::Spelling::kEscapedSpaces));
    tokenizer->encoder_ = TRY(SentencePieceEncoder::create(data, *tokenizer->vocabulary_));
    tokenizer->add_space_prefix_ = data.add_space_prefix;
  }
  tokenizer->special_matcher_ = std::make_unique<SpecialMatcher>(*tokenizer->vocabulary_);
  tokenizer->add_bos_ = data.add_bos;
  tokenizer->add_eos_ = data.add_eos;
  for (const auto& [wanted, id, name] : {std::tuple(data.add_bos, data.bos_id, "bos"),
                                         std::tuple(data.add_eos, data.eos_id, "eos")}) {
    if (wanted && id == kNoToken) {
      return Error{
          ErrorCode::kCorrupt,
          fmt::format("the model wants a {0} token on every text but has no {0}_token_id", name),
          fmt::format("tokenizer.ggml.{}_token_id", name)};
    }
  }
  return tokenizer;
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  CHECK_LE(text.size(), kMaxTextBytes);
  std::vector<TokenId> tokens;
  tokens.reserve(text.size() / 3 + 4);
  EncodeScratch scratch(text.size());
  if (options.add_special && add_bos_) tokens.push_back(bos_id());
  bool after_special = true;
  for (const TextFragment& fragment : special_matcher_->partition(text, options.parse_special)) {
    after_special = after_special || fragment.token != kNoToken;
    if (fragment.token != kNoToken) {
      tokens.push_back(fragment.token);
    } else {
      encoder_->encode(fragment.text, after_special, scratch, tokens);
      after_special = false;
    }
  }
  if (options.add_special && add_eos_) tokens.push_back(eos_id());
  return tokens;
}

std::string Tokenizer::decode(std::span<const TokenId> tokens, DecodeOptions options) const {
  std::string bytes;
  bool strip = options.strip_space_prefix && add_space_prefix_;
  for (const TokenId id : tokens) {
    std::string_view piece = token_to_piece(id, !options.skip_special);
    // Only the space that encode() put before the first word is dropped, so BOS may stand before
    // it.
    if (strip && !is_control(id)) {
      if (piece.starts_with(' ')) piece.remove_prefix(1);
      strip = false;
    }
    bytes += piece;
  }
  return is_valid_utf8(bytes) ? bytes : replace_invalid_subparts(bytes);
}

std::string_view Tokenizer::token_to_piece(TokenId id, bool special) const {
  CHECK(id >= 0 && id < vocab_size());
  if (!special && vocabulary_->has(id, kAttrControl | kAttrUnknown)) return {};
  return vocabulary_->bytes(id);
}

std::string_view Tokenizer::token_text(TokenId id) const {
  CHECK(id >= 0 && id < vocab_size());
  return vocabulary_->text(id);
}

TokenId Tokenizer::find_token(std::string_view text) const {
  return vocabulary_->find(text);
}

int Tokenizer::vocab_size() const {
  return vocabulary_->size();
}
size_t Tokenizer::max_token_bytes() const {
  return vocabulary_->max_token_bytes();
}
TokenId Tokenizer::bos_id() const {
  return vocabulary_->special().bos;
}
TokenId Tokenizer::eos_id() const {
  return vocabulary_->special().eos;
}
TokenId Tokenizer::eot_id() const {
  return vocabulary_->special().eot;
}
TokenId Tokenizer::unk_id() const {
  return vocabulary_->special().unk;
}
TokenId Tokenizer::pad_id() const {
  return vocabulary_->special().pad;
}

bool Tokenizer::is_end_of_generation(TokenId id) const {
  CHECK(id >= 0 && id < vocab_size());
  return vocabulary_->is_end_of_generation(id);
}

std::vector<TokenId> Tokenizer::end_of_generation_ids() const {
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < vocab_size(); ++id) {
    if (vocabulary_->is_end_of_generation(id)) ids.push_back(id);
  }
  return ids;
}

bool Tokenizer::is_control(TokenId id) const {
  CHECK(id >= 0 && id < vocab_size());
  return vocabulary_->has(id, kAttrControl);
}

}  // namespace twostroke

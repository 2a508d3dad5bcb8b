#include "tokenizer/sentence_piece_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "tokenizer/utf8.h"

namespace twostroke {
namespace {

// Integers that order as the floats do. REQUIRES: not NaN.
int32_t ordered(float value) {
  const auto bits = std::bit_cast<int32_t>(value + 0.0F);  // -0 becomes +0
  return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
}

}  // namespace

std::string escape_spaces(std::string_view text, bool space_prefix) {
  std::string escaped;
  escaped.reserve(text.size() + text.size() / 2 + kEscapedSpace.size());
  if (space_prefix) escaped += kEscapedSpace;
  for (size_t pos = 0; pos < text.size();) {
    const size_t space = std::min(text.find(' ', pos), text.size());
    escaped.append(text, pos, space - pos);
    pos = space;
    if (pos < text.size()) {
      escaped += kEscapedSpace;
      ++pos;
    }
  }
  return escaped;
}

struct SentencePieceEncoder::Pairs {
  const SentencePieceEncoder& encoder;
  std::string_view word;

  bool find(const Symbol& left, const Symbol& right, PairMerge& merge) const {
    const size_t length = right.end - left.begin;
    if (length > encoder.max_piece_bytes_) return false;
    const Piece* piece = encoder.find(word.substr(left.begin, length));
    if (piece == nullptr) return false;
    merge = {piece->priority, piece->token};
    return true;
  }
};

Result<std::unique_ptr<TextEncoder>> SentencePieceEncoder::create(const VocabData& data,
                                                                  const Vocabulary& vocabulary) {
  if (data.scores.size() != data.tokens.size()) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("expected a score for each of {} tokens, found {}", data.tokens.size(),
                             data.scores.size()),
                 "tokenizer.ggml.scores"};
  }
  for (size_t i = 0; i < data.scores.size(); ++i) {
    if (std::isnan(data.scores[i])) {
      return Error{ErrorCode::kCorrupt, fmt::format("the score of token {} is not a number", i),
                   "tokenizer.ggml.scores"};
    }
  }
  return std::unique_ptr<TextEncoder>(new SentencePieceEncoder(data, vocabulary));
}

SentencePieceEncoder::SentencePieceEncoder(const VocabData& data, const Vocabulary& vocabulary)
    : add_space_prefix_(data.add_space_prefix),
      unk_id_(vocabulary.special().unk),
      index_(data.tokens.size()) {
  for (TokenId id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.has(id, kAttrControl | kAttrUnknown | kAttrByte)) continue;
    const std::string_view text = vocabulary.text(id);
    if (text.empty() || index_.insert(text) != static_cast<int32_t>(pieces_.size())) continue;
    pieces_.push_back({id, ordered(-data.scores[static_cast<size_t>(id)])});
    max_piece_bytes_ = std::max(max_piece_bytes_, text.size());
    boundary_.add(text);
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    byte_tokens_[byte] = vocabulary.find_byte(static_cast<uint8_t>(byte));
  }
}

const SentencePieceEncoder::Piece* SentencePieceEncoder::find(std::string_view text) const {
  const int32_t index = index_.find(text);
  return index == StringIndex::kNotFound ? nullptr : &pieces_[static_cast<size_t>(index)];
}

void SentencePieceEncoder::encode(std::string_view text, bool after_special, EncodeScratch& scratch,
                                  std::vector<TokenId>& output) const {
  const std::string_view escaped =
      scratch.rewritten.emplace_back(escape_spaces(text, add_space_prefix_ && after_special));
  for (size_t begin = 0; begin < escaped.size();) {
    const size_t end = boundary_.word_end(escaped, begin);
    encode_word(escaped.substr(begin, end - begin), scratch, output);
    begin = end;
  }
}

void SentencePieceEncoder::encode_word(std::string_view word, EncodeScratch& scratch,
                                       std::vector<TokenId>& output) const {
  if (scratch.cache.append_known(word, output)) return;
  const size_t first = output.size();
  std::vector<Symbol>& symbols = scratch.symbols;
  symbols.clear();
  for (size_t pos = 0; pos < word.size();) {
    const size_t length = std::min(utf8_length_by_lead(word[pos]), word.size() - pos);
    const Piece* piece = find(word.substr(pos, length));
    symbols.push_back({piece == nullptr ? kNoToken : piece->token, static_cast<uint32_t>(pos),
                       static_cast<uint32_t>(pos + length)});
    pos += length;
  }
  scratch.merger.merge(Pairs{*this, word}, symbols);
  for (const Symbol& symbol : symbols) {
    if (symbol.id != kNoToken) {
      output.push_back(symbol.id);
    } else {
      append_bytes(word.substr(symbol.begin, symbol.end - symbol.begin), output);
    }
  }
  scratch.cache.remember(word, first, output);
}

void SentencePieceEncoder::append_bytes(std::string_view bytes,
                                        std::vector<TokenId>& output) const {
  const bool all_known = std::all_of(bytes.begin(), bytes.end(), [this](char byte) {
    return byte_tokens_[static_cast<uint8_t>(byte)] != kNoToken;
  });
  if (!all_known) {  // a vocabulary without byte tokens has one token for everything unknown
    if (unk_id_ != kNoToken) output.push_back(unk_id_);
    return;
  }
  for (const char byte : bytes) output.push_back(byte_tokens_[static_cast<uint8_t>(byte)]);
}

}  // namespace twostroke

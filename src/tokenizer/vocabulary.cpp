#include "tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/space_boundary.h"
#include "tokenizer/special_token_rules.h"

namespace twostroke {
namespace {

uint8_t attribute_of(TokenType type) {
  switch (type) {
    case TokenType::kNormal:
      return kAttrNormal;
    case TokenType::kUnknown:
      return kAttrUnknown;
    case TokenType::kControl:
      return kAttrControl;
    case TokenType::kUserDefined:
      return kAttrUserDefined;
    case TokenType::kByte:
      return kAttrByte;
    case TokenType::kUndefined:
    case TokenType::kUnused:
      break;
  }
  return 0;  // such tokens decode to nothing
}

std::string unescape_spaces(std::string_view text) {
  std::string plain;
  for (size_t pos = 0; pos < text.size();) {
    const size_t next = std::min(text.find(kEscapedSpace, pos), text.size());
    plain.append(text, pos, next - pos);
    pos = next;
    if (pos < text.size()) {
      plain += ' ';
      pos += kEscapedSpace.size();
    }
  }
  return plain;
}

// "<0x0A>" -> "\n"; anything else stays as it is.
std::string byte_token_bytes(std::string_view text) {
  if (text.size() == 6 && text.starts_with("<0x") && text.back() == '>') {
    uint8_t byte = 0;
    const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, byte, 16);
    if (error == std::errc() && end == text.data() + 5)
      return std::string(1, static_cast<char>(byte));
  }
  return std::string(text);
}

}  // namespace

Result<std::unique_ptr<Vocabulary>> Vocabulary::create(const VocabData& data, Spelling spelling) {
  std::unique_ptr<Vocabulary> vocabulary(new Vocabulary);
  TRY(vocabulary->copy_tokens(data));
  TRY(vocabulary->copy_special_ids(data));
  SpecialTokenRules(*vocabulary).apply(data.pre, data.model_name, data.architecture);
  vocabulary->spell_tokens(spelling);
  return vocabulary;
}

Status Vocabulary::copy_tokens(const VocabData& data) {
  const size_t count = data.tokens.size();
  if (count == 0 || count > (size_t{1} << 30)) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("vocabulary has {} tokens, expected 1 to 2^30", count),
                 "tokenizer.ggml.tokens"};
  }
  if (!data.types.empty() && data.types.size() != count) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("expected one token type for each of {} tokens, found {}", count,
                             data.types.size()),
                 "tokenizer.ggml.token_type"};
  }
  size_t total_bytes = 0;
  for (const std::string_view token : data.tokens) total_bytes += token.size();
  text_arena_.reserve(total_bytes);
  texts_.reserve(count);
  attributes_.resize(count);
  ends_generation_.resize(count);
  index_ = StringIndex(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = text_arena_.size();
    text_arena_ += data.tokens[i];
    texts_.emplace_back(text_arena_.data() + begin, data.tokens[i].size());
    attributes_[i] = attribute_of(data.types.empty() ? TokenType::kNormal : data.types[i]);
    if (index_.insert(texts_[i]) == static_cast<int32_t>(id_of_index_.size())) {
      id_of_index_.push_back(static_cast<TokenId>(i));
    }
  }
  return {};
}

Status Vocabulary::copy_special_ids(const VocabData& data) {
  struct Named {
    TokenId id;
    TokenId SpecialIds::*field;
    const char* key;
  };
  for (const Named& named : std::initializer_list<Named>{
           {data.bos_id, &SpecialIds::bos, "bos_token_id"},
           {data.eos_id, &SpecialIds::eos, "eos_token_id"},
           {data.eot_id, &SpecialIds::eot, "eot_token_id"},
           {data.eom_id, &SpecialIds::eom, "eom_token_id"},
           {data.unk_id, &SpecialIds::unk, "unknown_token_id"},
           {data.pad_id, &SpecialIds::pad, "padding_token_id"},
           {data.fim_pad_id, &SpecialIds::fim_pad, "fim_pad_token_id"},
           {data.fim_rep_id, &SpecialIds::fim_rep, "fim_rep_token_id"},
           {data.fim_sep_id, &SpecialIds::fim_sep, "fim_sep_token_id"},
       }) {
    if (named.id < kNoToken || named.id >= size()) {
      return Error{
          ErrorCode::kCorrupt,
          fmt::format("{} is {}, but the vocabulary has {} tokens", named.key, named.id, size()),
          fmt::format("tokenizer.ggml.{}", named.key)};
    }
    special_.*named.field = named.id;
  }
  return {};
}

void Vocabulary::spell_tokens(Spelling spelling) {
  std::vector<size_t> ends;
  ends.reserve(texts_.size());
  for (TokenId id = 0; id < size(); ++id) {
    if (has(id, kAttrUnknown | kAttrControl | kAttrUserDefined)) {
      byte_arena_ += text(id);
    } else if (has(id, kAttrByte)) {
      byte_arena_ += byte_token_bytes(text(id));
    } else if (has(id, kAttrNormal) && spelling == Spelling::kEscapedSpaces) {
      byte_arena_ += unescape_spaces(text(id));
    } else if (has(id, kAttrNormal)) {
      // A text outside the alphabet is an added token that the file calls normal: it stands for
      // itself.
      byte_arena_ += ByteAlphabet::instance().decode(text(id)).value_or(std::string(text(id)));
    }
    ends.push_back(byte_arena_.size());
  }
  bytes_.reserve(texts_.size());
  size_t begin = 0;
  for (const size_t end : ends) {
    bytes_.emplace_back(byte_arena_.data() + begin, end - begin);
    max_token_bytes_ = std::max(max_token_bytes_, end - begin);
    begin = end;
  }
}

TokenId Vocabulary::find(std::string_view text) const {
  const int32_t index = index_.find(text);
  return index == StringIndex::kNotFound ? kNoToken : id_of_index_[static_cast<size_t>(index)];
}

TokenId Vocabulary::find_byte(uint8_t byte) const {
  const TokenId id = find(fmt::format("<0x{:02X}>", byte));
  return id != kNoToken ? id : find(std::string(1, static_cast<char>(byte)));
}

}  // namespace twostroke

#include "tokenizer/bpe_encoder.h"

#include <fmt/format.h>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/utf8.h"

namespace twostroke {

Result<std::unique_ptr<TextEncoder>> BpeEncoder::create(const VocabData& data,
                                                        const Vocabulary& vocabulary,
                                                        const PreTokenizerProfile& profile) {
  BpeMerges merges = TRY(BpeMerges::create(vocabulary, data.merges));
  PreTokenizer pre_tokenizer = TRY(PreTokenizer::create(profile));
  return std::unique_ptr<TextEncoder>(
      new BpeEncoder(vocabulary, profile, std::move(merges), std::move(pre_tokenizer)));
}

BpeEncoder::BpeEncoder(const Vocabulary& vocabulary, const PreTokenizerProfile& profile,
                       BpeMerges merges, PreTokenizer pre_tokenizer)
    : vocabulary_(vocabulary),
      profile_(profile),
      merges_(std::move(merges)),
      pre_tokenizer_(std::move(pre_tokenizer)) {
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  for (size_t byte = 0; byte < 256; ++byte) {
    const std::string_view letter = alphabet.letter(static_cast<uint8_t>(byte));
    byte_symbols_[byte] = merges_.symbol(letter);
    std::vector<std::string> spellings;
    if (!profile.byte_level) {
      spellings.push_back(fmt::format("<0x{:02X}>", byte));
    } else {  // llama.cpp looks up the bytes of the letter, so only ASCII can be found
      for (const char part : letter) spellings.emplace_back(1, part);
    }
    for (const std::string& spelling : spellings) {
      const TokenId token = vocabulary.find(spelling);
      if (token != kNoToken) byte_fallback_[byte].push_back(token);
    }
  }
  if (profile.ignore_merges) index_whole_words();
  if (profile.escape_spaces) find_boundaries();
}

void BpeEncoder::index_whole_words() {
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    // Control tokens are left out: text is never one unless the caller asks for special tokens.
    if (vocabulary_.attributes(id) != kAttrNormal) continue;
    if (profile_.byte_level && !ByteAlphabet::instance().decode(vocabulary_.text(id))) continue;
    const std::string_view word =
        profile_.byte_level ? vocabulary_.bytes(id) : vocabulary_.text(id);
    if (word_index_.insert(word) == static_cast<int32_t>(word_tokens_.size()))
      word_tokens_.push_back(id);
  }
}

void BpeEncoder::find_boundaries() {
  for (TokenId id = 0; id < vocabulary_.size(); ++id) boundary_.add(vocabulary_.text(id));
  for (const std::string& text : merges_.extra_texts()) boundary_.add(text);
}

void BpeEncoder::encode(std::string_view text, bool /*after_special*/, EncodeScratch& scratch,
                        std::vector<TokenId>& output) const {
  if (!is_valid_utf8(text)) text = scratch.rewritten.emplace_back(replace_invalid_bytes(text));
  if (profile_.escape_spaces) text = scratch.rewritten.emplace_back(escape_spaces(text, false));
  pre_tokenizer_.split(text, scratch.pre_tokenizer, scratch.word_ends);
  size_t begin = 0;
  for (const size_t end : scratch.word_ends) {
    const std::string_view word = text.substr(begin, end - begin);
    begin = end;
    if (profile_.newline_words && word[0] == '\n') {  // such a word is nothing but newlines
      if (const TokenId token = vocabulary_.find(word); token != kNoToken) {
        output.push_back(token);
        continue;
      }
    }
    if (!profile_.escape_spaces) {
      encode_word(word, scratch, output);
      continue;
    }
    for (size_t part = 0; part < word.size();) {
      const size_t part_end = boundary_.word_end(word, part);
      encode_word(word.substr(part, part_end - part), scratch, output);
      part = part_end;
    }
  }
}

TokenId BpeEncoder::whole_word(std::string_view word) const {
  if (!profile_.ignore_merges) return kNoToken;
  const int32_t index = word_index_.find(word);
  return index == StringIndex::kNotFound ? kNoToken : word_tokens_[static_cast<size_t>(index)];
}

void BpeEncoder::encode_word(std::string_view word, EncodeScratch& scratch,
                             std::vector<TokenId>& output) const {
  if (scratch.cache.append_known(word, output)) return;
  const size_t first = output.size();
  if (const TokenId token = whole_word(word); token != kNoToken) {
    output.push_back(token);
  } else {
    std::vector<Symbol>& symbols = scratch.symbols;
    symbols.clear();
    for (size_t pos = 0; pos < word.size();) {
      const size_t length = profile_.byte_level ? 1 : utf8_length_by_lead(word[pos]);
      const int32_t symbol = profile_.byte_level ? byte_symbols_[static_cast<uint8_t>(word[pos])]
                                                 : merges_.symbol(word.substr(pos, length));
      symbols.push_back({symbol, static_cast<uint32_t>(pos), static_cast<uint32_t>(pos + length)});
      pos += length;
    }
    scratch.merger.merge(merges_, symbols);
    for (const Symbol& symbol : symbols) append_symbol(symbol, word, output);
  }
  scratch.cache.remember(word, first, output);
}

void BpeEncoder::append_symbol(const Symbol& symbol, std::string_view word,
                               std::vector<TokenId>& output) const {
  if (merges_.is_token(symbol.id)) {
    output.push_back(symbol.id);
    return;
  }
  for (size_t i = symbol.begin; i < symbol.end; ++i) {
    const std::vector<TokenId>& fallback = byte_fallback_[static_cast<uint8_t>(word[i])];
    output.insert(output.end(), fallback.begin(), fallback.end());
  }
}

}  // namespace twostroke

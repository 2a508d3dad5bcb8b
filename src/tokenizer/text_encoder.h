// TextEncoder: ordinary text -> tokens, the part that differs between tokenizer kinds. Special
// tokens, BOS and EOS are the Tokenizer's. Immutable: any thread, each call with a scratch of its
// own.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "tokenizer/merge_symbols.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/word_cache.h"

namespace twostroke {

// Memory of one encode call.
struct EncodeScratch {
  explicit EncodeScratch(size_t text_bytes) : cache(text_bytes) {}

  PreTokenizer::Scratch pre_tokenizer;
  std::vector<size_t> word_ends;
  std::vector<Symbol> symbols;
  SymbolMerger merger;
  std::deque<std::string> rewritten;  // texts that had to be changed; `cache` points into them
  WordCache cache;
};

class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  // Appends the tokens of `text`, any bytes, to `output`. `after_special`: nothing or a special
  // token precedes it.
  virtual void encode(std::string_view text, bool after_special, EncodeScratch& scratch,
                      std::vector<TokenId>& output) const = 0;
};

// `text` with every ' ' as U+2581.
std::string escape_spaces(std::string_view text, bool space_prefix);

}  // namespace twostroke

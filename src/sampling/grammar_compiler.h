// GrammarCompiler: JSON schemas, regular expressions and grammars -> Grammar, by llguidance (ffi/).
// Holds the vocabulary of one model as a trie, which all its grammars share. Everything a client
// can send here is bounded: bytes, nesting, the work of compiling and of each mask (GrammarLimits).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "sampling/grammar.h"

namespace twostroke {

struct GrammarVocabulary {
  // [vocab_size] What each token adds to an output; empty: it never may come (unless it ends it).
  std::vector<std::string> token_bytes;
  // Named tokens without text, such as "<|im_end|>": a grammar names them, no text matches them.
  std::vector<bool> is_special;  // [vocab_size]; token_bytes then is the name
  std::vector<TokenId> end_tokens;
  // How the model's own tokenizer cuts a text, without special tokens. Where a grammar leaves one
  // text only, the output is cut in this way. Empty: the model chooses. Thread-safe; outlives the
  // compiler's grammars.
  std::function<std::vector<TokenId>(std::string_view)> encode;
};

struct GrammarLimits {
  size_t max_bytes = size_t{512} << 10;  // of a grammar's text
  int max_depth = 64;                    // of a JSON schema
  // Units are llguidance's; its documentation gives about 50k lexer nodes, 14k lexer steps and 20k
  // items a millisecond.
  uint64_t max_lexer_nodes = 1'000'000;
  uint64_t max_mask_lexer_steps = 200'000;
  size_t max_mask_items = 50'000;
  size_t max_lexer_states = 50'000;  // 1 to 2 kB each
  size_t max_symbols = 200'000;
  size_t max_items_in_row = 2'000;
};

class GrammarCompiler {
 public:
  // Takes tenths of a second for a large vocabulary. REQUIRES: end_tokens is not empty.
  static Result<std::unique_ptr<GrammarCompiler>> create(GrammarVocabulary vocabulary,
                                                         const GrammarLimits& limits = {});
  virtual ~GrammarCompiler() = default;
  // Any thread. kInvalidArgument, kTooLarge or kUnsupported with spec.field: what does not parse,
  // is past a limit, uses a keyword that would not be kept, or can never be met.
  virtual Result<std::shared_ptr<const Grammar>> compile(const GrammarSpec& spec) const = 0;
};

}  // namespace twostroke

// Grammar: what an output must look like, compiled for one model's vocabulary, and GrammarMatcher:
// how far one output has come in it. The sampler only sees the mask: which tokens may come next.
// Interfaces; GrammarCompiler (grammar_compiler.h) makes the real ones.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/ids.h"
#include "base/result.h"

namespace twostroke {

// As a request states it.
struct GrammarSpec {
  enum class Kind {
    kJsonSchema,  // text: a JSON schema
    kRegex,       // text: a regular expression that the whole output matches
    kLark,        // text: a grammar in llguidance's dialect of Lark
    kGbnf,        // text: a grammar in llama.cpp's GBNF
  };
  Kind kind = Kind::kJsonSchema;
  std::string text;
  std::string field;  // of the request, for messages: "response_format", "tool_choice", ...
};

// One bit a token, [ceil(vocab_size / 32)] words; bit t % 32 of word t / 32 set: token t may come.
using TokenMask = std::span<const uint32_t>;
inline size_t token_mask_words(size_t vocab_size) {
  return (vocab_size + 31) / 32;
}
inline bool is_allowed(TokenMask mask, TokenId token) {
  const auto index = static_cast<size_t>(token);
  return (mask[index / 32] >> (index % 32) & 1U) != 0;
}

class GrammarMatcher {
 public:
  virtual ~GrammarMatcher() = default;
  // Fills [token_mask_words(vocab_size)]. At least one token is allowed, or it is an error. Once
  // the grammar is complete, the model's end-of-generation tokens are the only ones.
  virtual Status compute_mask(std::span<uint32_t> mask) = 0;
  // REQUIRES: `token` was allowed by the last mask.
  virtual Status accept(TokenId token) = 0;
};

// Immutable; any thread may start matchers.
class Grammar {
 public:
  virtual ~Grammar() = default;
  // A matcher at the beginning of an output.
  virtual std::unique_ptr<GrammarMatcher> start() const = 0;
};

}  // namespace twostroke

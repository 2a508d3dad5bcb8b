// GBNF, llama.cpp's notation of grammars -> llguidance's dialect of Lark. Understood is what
// llama.cpp's grammars/README.md describes: rules `name ::= ...` with strings, character classes,
// `.`, groups, alternatives, `* + ? {m} {m,} {m,n}`, comments, tokens `<[id]>` and `<name>`. The
// output begins with the rule `root`. Not for other callers.
//
// The language stays exactly the same. A grammar without recursion becomes one regular expression,
// the fast way; one with recursion is read character by character, since a longest-match lexer
// would lose some of its sentences.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace twostroke {

// kInvalidArgument with `field`, the line and what was expected.
Result<std::string> lark_from_gbnf(std::string_view text, const std::string& field);

}  // namespace twostroke

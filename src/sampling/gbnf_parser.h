// The syntax of GBNF: text -> rules as trees. Half of gbnf.h; not for other callers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace twostroke {

struct GbnfNode {
  enum class Kind { kString, kClass, kAny, kRule, kToken, kSequence, kAlternatives, kRepeat };
  static constexpr int kUnbounded = -1;

  Kind kind = Kind::kSequence;
  std::vector<char32_t> characters = {};                   // kString
  std::vector<std::pair<char32_t, char32_t>> ranges = {};  // kClass, both ends included
  bool is_negated = false;                                 // kClass
  std::string token = {};                                  // kToken: as written, "<[12]>"
  size_t rule = 0;                                         // kRule: index
  std::vector<GbnfNode> children = {};                     // kSequence, kAlternatives, kRepeat: one
  int min = 0, max = kUnbounded;                           // kRepeat
};

struct GbnfRule {
  std::string name;
  bool is_defined = false;
  int line = 0;  // where it was first seen
  GbnfNode body = {};
};

struct GbnfGrammar {
  std::vector<GbnfRule> rules;
  size_t root = 0;
};

// Every rule is defined and one is called root.
Result<GbnfGrammar> parse_gbnf(std::string_view text, const std::string& field);

}  // namespace twostroke

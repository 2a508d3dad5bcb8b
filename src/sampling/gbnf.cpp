#include "sampling/gbnf.h"

#include <fmt/format.h>

#include "sampling/gbnf_parser.h"

namespace twostroke {
namespace {

using Kind = GbnfNode::Kind;

using Uses = std::vector<std::vector<size_t>>;  // of each rule, the rules it names

Uses uses_of(const GbnfGrammar& grammar) {
  Uses uses(grammar.rules.size());
  for (size_t i = 0; i < grammar.rules.size(); ++i) {
    std::vector<const GbnfNode*> nodes = {&grammar.rules[i].body};
    while (!nodes.empty()) {
      const GbnfNode& node = *nodes.back();
      nodes.pop_back();
      if (node.kind == Kind::kRule) uses[i].push_back(node.rule);
      for (const GbnfNode& child : node.children) nodes.push_back(&child);
    }
  }
  return uses;
}

enum class Colour : uint8_t { kNew, kOnPath, kDone };

// Depth-first from `start`; rules that an earlier call is done with are not looked at again.
bool has_cycle(const Uses& uses, size_t start, std::vector<Colour>& colours) {
  if (colours[start] != Colour::kNew) return false;
  std::vector<std::pair<size_t, size_t>> path = {{start, 0}};  // rule, next of its uses
  colours[start] = Colour::kOnPath;
  while (!path.empty()) {
    auto& [rule, next] = path.back();
    if (next == uses[rule].size()) {
      colours[rule] = Colour::kDone;
      path.pop_back();
      continue;
    }
    const size_t used = uses[rule][next++];
    if (colours[used] == Colour::kOnPath) return true;
    if (colours[used] == Colour::kDone) continue;
    colours[used] = Colour::kOnPath;
    path.emplace_back(used, 0);
  }
  return false;
}

bool is_recursive(const GbnfGrammar& grammar) {
  const Uses uses = uses_of(grammar);
  std::vector<Colour> colours(uses.size(), Colour::kNew);
  for (size_t i = 0; i < uses.size(); ++i) {
    if (has_cycle(uses, i, colours)) return true;
  }
  return false;
}

bool has_tokens(const GbnfNode& root) {
  std::vector<const GbnfNode*> nodes = {&root};
  while (!nodes.empty()) {
    const GbnfNode& node = *nodes.back();
    nodes.pop_back();
    if (node.kind == Kind::kToken) return true;
    for (const GbnfNode& child : node.children) nodes.push_back(&child);
  }
  return false;
}

std::string regex_character(char32_t c) {
  return fmt::format("\\u{{{:X}}}", static_cast<uint32_t>(c));
}

// Writes rules as Lark. As terminals they are one regular expression each; as rules, every
// character is a lexeme of its own.
class LarkWriter {
 public:
  explicit LarkWriter(bool as_terminals) : prefix_(as_terminals ? "R" : "r") {}

  std::string write(const GbnfGrammar& grammar) {
    out_ = fmt::format("start: {}{}\n", prefix_, grammar.root);
    for (size_t i = 0; i < grammar.rules.size(); ++i) {
      out_ += fmt::format("{}{}: ", prefix_, i);
      write(grammar.rules[i].body);
      out_ += '\n';
    }
    return std::move(out_);
  }

 private:
  void write(const GbnfNode& node) {  // recurses as deep as groups are nested, which is bounded
    switch (node.kind) {
      case Kind::kString:
        return write_string(node.characters);
      case Kind::kClass:
        return write_class(node);
      case Kind::kAny:
        out_ += "/(?s:.)/";
        return;
      case Kind::kRule:
        out_ += fmt::format("{}{}", prefix_, node.rule);
        return;
      case Kind::kToken:
        out_ += node.token;
        return;
      case Kind::kSequence:
        return write_sequence(node);
      case Kind::kAlternatives:
        return write_alternatives(node);
      case Kind::kRepeat:
        return write_repeat(node);
    }
  }

  void write_string(const std::vector<char32_t>& characters) {
    if (characters.empty()) out_ += "\"\"";
    for (size_t i = 0; i < characters.size(); ++i) {
      out_ += fmt::format("{}/{}/", i == 0 ? "" : " ", regex_character(characters[i]));
    }
  }

  void write_class(const GbnfNode& node) {
    out_ += node.is_negated ? "/[^" : "/[";
    for (const auto& [first, last] : node.ranges) {
      out_ += regex_character(first);
      if (last != first) out_ += "-" + regex_character(last);
    }
    out_ += "]/";
  }

  void write_sequence(const GbnfNode& node) {
    if (node.children.empty()) out_ += "\"\"";
    for (size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) out_ += ' ';
      write(node.children[i]);
    }
  }

  void write_alternatives(const GbnfNode& node) {
    out_ += '(';
    for (size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) out_ += " | ";
      write(node.children[i]);
    }
    out_ += ')';
  }

  void write_repeat(const GbnfNode& node) {
    out_ += '(';
    write(node.children.front());
    out_ += ')';
    out_ += node.max == GbnfNode::kUnbounded ? fmt::format("{{{},}}", node.min)
                                             : fmt::format("{{{},{}}}", node.min, node.max);
  }

  const char* prefix_;
  std::string out_;
};

}  // namespace

Result<std::string> lark_from_gbnf(std::string_view text, const std::string& field) {
  const GbnfGrammar grammar = TRY(parse_gbnf(text, field));
  bool is_regular = !is_recursive(grammar);
  for (const GbnfRule& rule : grammar.rules) is_regular &= !has_tokens(rule.body);
  return LarkWriter(is_regular).write(grammar);
}

}  // namespace twostroke

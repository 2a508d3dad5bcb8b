#include "sampling/gbnf_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace twostroke {
namespace {

constexpr int kMaxDepth = 64;  // of groups
constexpr size_t kMaxRules = 4096;
constexpr int kMaxRepetitions = 2000;  // in {m,n}, as in llama.cpp

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

class Parser {
 public:
  Parser(std::string_view text, std::string field) : text_(text), field_(std::move(field)) {}

  Result<GbnfGrammar> parse() {
    skip_space(true);
    while (!at_end()) TRY(parse_rule());
    const auto root = names_.find("root");
    if (root == names_.end()) return error("there is no rule called root");
    for (const GbnfRule& rule : grammar_.rules) {
      if (!rule.is_defined) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("{}, line {}: the rule {} is not defined", field_, rule.line, rule.name),
            field_};
      }
    }
    grammar_.root = root->second;
    return std::move(grammar_);
  }

 private:
  bool at_end() const { return position_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  bool looking_at(std::string_view word) const {
    return text_.substr(position_, word.size()) == word;
  }
  bool take(std::string_view word) {
    if (!looking_at(word)) return false;
    position_ += word.size();
    return true;
  }

  Error error(std::string_view what) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, position_), '\n');
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}, line {}: {}", field_, line, what),
                 field_};
  }

  void skip_space(bool newlines) {
    while (!at_end()) {
      const char c = peek();
      if (c == '#') {
        while (!at_end() && peek() != '\n') ++position_;
      } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
        ++position_;
      } else {
        break;
      }
    }
  }

  // Between the items of a rule a line break ends the rule, unless the next line goes on with '|'.
  void skip_space_in_rule(int depth) {
    if (depth > 0) return skip_space(true);
    skip_space(false);
    const size_t before = position_;
    skip_space(true);
    if (peek() != '|') position_ = before;
  }

  std::string_view take_name() {
    const size_t start = position_;
    while (!at_end() && is_name(peek())) ++position_;
    return text_.substr(start, position_ - start);
  }

  Result<size_t> rule_index(std::string_view name) {
    const auto [found, is_new] = names_.try_emplace(std::string(name), grammar_.rules.size());
    if (is_new) {
      if (grammar_.rules.size() == kMaxRules) {
        return error(fmt::format("more than {} rules", kMaxRules));
      }
      const auto line = 1 + std::ranges::count(text_.substr(0, position_), '\n');
      grammar_.rules.push_back({.name = std::string(name), .line = static_cast<int>(line)});
    }
    return found->second;
  }

  Status parse_rule() {
    const std::string_view name = take_name();
    if (name.empty()) return error("expected the name of a rule");
    skip_space(false);
    if (!take("::=")) return error(fmt::format("expected ::= after {}", name));
    const size_t index = TRY(rule_index(name));
    if (grammar_.rules[index].is_defined) {
      return error(fmt::format("the rule {} is defined twice", name));
    }
    grammar_.rules[index].is_defined = true;
    skip_space(true);
    GbnfNode body = TRY(parse_alternatives(0));
    grammar_.rules[index].body = std::move(body);
    if (!at_end() && peek() != '\n' && peek() != '\r') {
      return error(fmt::format("unexpected '{}'", peek()));
    }
    skip_space(true);
    return {};
  }

  Result<GbnfNode> parse_alternatives(int depth) {
    if (depth > kMaxDepth) return error(fmt::format("groups nested deeper than {}", kMaxDepth));
    GbnfNode node{.kind = GbnfNode::Kind::kAlternatives};
    node.children.push_back(TRY(parse_sequence(depth)));
    while (take("|")) {
      skip_space(true);
      node.children.push_back(TRY(parse_sequence(depth)));
    }
    return node;
  }

  Result<GbnfNode> parse_sequence(int depth) {
    GbnfNode node{.kind = GbnfNode::Kind::kSequence};
    skip_space_in_rule(depth);
    while (!at_end() && peek() != '|' && peek() != ')' && peek() != '\n' && peek() != '\r') {
      // `name ::=` here begins the next rule only after a line break, which ends the loop.
      GbnfNode item = TRY(parse_item(depth));
      node.children.push_back(TRY(parse_repetitions(std::move(item))));
      skip_space_in_rule(depth);
    }
    return node;
  }

  Result<GbnfNode> parse_item(int depth) {
    if (take("\"")) return parse_string();
    if (take("[")) return parse_class();
    if (take(".")) return GbnfNode{.kind = GbnfNode::Kind::kAny};
    if (take("(")) {
      skip_space(true);
      GbnfNode group = TRY(parse_alternatives(depth + 1));
      if (!take(")")) return error("expected )");
      return group;
    }
    if (peek() == '<') return parse_token();
    const std::string_view name = take_name();
    if (name.empty()) return error(fmt::format("unexpected '{}'", peek()));
    return GbnfNode{.kind = GbnfNode::Kind::kRule, .rule = TRY(rule_index(name))};
  }

  Result<GbnfNode> parse_string() {
    GbnfNode node{.kind = GbnfNode::Kind::kString};
    while (!take("\"")) {
      if (at_end() || peek() == '\n') return error("a string without its closing \"");
      node.characters.push_back(TRY(parse_character()));
    }
    return node;
  }

  Result<GbnfNode> parse_class() {
    GbnfNode node{.kind = GbnfNode::Kind::kClass};
    node.is_negated = take("^");
    while (!take("]")) {
      if (at_end() || peek() == '\n') return error("a character class without its closing ]");
      const char32_t first = TRY(parse_character());
      char32_t last = first;
      if (looking_at("-") && !looking_at("-]")) {
        ++position_;
        if (at_end() || peek() == '\n') return error("a character class without its closing ]");
        last = TRY(parse_character());
      }
      if (last < first) return error("a range in a character class whose end is before its start");
      node.ranges.emplace_back(first, last);
    }
    if (node.ranges.empty()) return error("an empty character class");
    return node;
  }

  Result<GbnfNode> parse_token() {
    const size_t end = text_.find('>', position_);
    const std::string_view token = text_.substr(position_, end + 1 - position_);
    if (end == std::string_view::npos || token.find_first_of(" \t\r\n") != token.npos) {
      return error("expected a token such as <[12]> or <|name|>");
    }
    position_ = end + 1;
    return GbnfNode{.kind = GbnfNode::Kind::kToken, .token = std::string(token)};
  }

  Result<char32_t> parse_escape() {
    const char kind = peek();
    ++position_;
    switch (kind) {
      case 'n':
        return U'\n';
      case 'r':
        return U'\r';
      case 't':
        return U'\t';
      case 'x':
        return parse_hex(2);
      case 'u':
        return parse_hex(4);
      case 'U':
        return parse_hex(8);
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<char32_t>(kind);
      default:
        return error("an unknown escape: use \\n \\r \\t \\\\ \\\" \\[ \\] \\xHH \\uHHHH");
    }
  }

  Result<char32_t> parse_hex(size_t num_digits) {
    const std::string_view digits = text_.substr(position_, num_digits);
    uint32_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, status] = std::from_chars(digits.data(), end, value, 16);
    const bool is_scalar = value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    if (status != std::errc() || stop != end || digits.size() != num_digits || !is_scalar) {
      return error(fmt::format("expected {} hexadecimal digits of a code point", num_digits));
    }
    position_ += num_digits;
    return static_cast<char32_t>(value);
  }

  Result<char32_t> parse_character() {
    if (take("\\")) return parse_escape();
    const auto lead = static_cast<unsigned char>(peek());
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t value = length == 1 ? lead : lead & (0x7FU >> length);
    if (position_ + length > text_.size()) return error("text that is not UTF-8");
    for (size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text_[position_ + i]);
      if ((next & 0xC0U) != 0x80U) return error("text that is not UTF-8");
      value = (value << 6U) | (next & 0x3FU);
    }
    position_ += length;
    return value;
  }

  Result<GbnfNode> parse_repetitions(GbnfNode item) {
    for (int depth = 0;; ++depth) {
      int min = 0;
      int max = GbnfNode::kUnbounded;
      if (take("*")) {
      } else if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (take("{")) {
        TRY(parse_bounds(min, max));
      } else {
        return item;
      }
      GbnfNode repeat{.kind = GbnfNode::Kind::kRepeat, .min = min, .max = max};
      repeat.children.push_back(std::move(item));
      item = std::move(repeat);
      if (depth == kMaxDepth) return error("too many repetitions of one item");
    }
  }

  Status parse_bounds(int& min, int& max) {
    min = TRY(parse_count());
    max = min;
    skip_space(false);
    if (take(",")) {
      skip_space(false);
      max = peek() == '}' ? GbnfNode::kUnbounded : TRY(parse_count());
      skip_space(false);
    }
    if (!take("}")) return error("expected } after the bounds of a repetition");
    if (max != GbnfNode::kUnbounded && max < min) return error("a repetition {m,n} with n < m");
    return {};
  }

  Result<int> parse_count() {
    skip_space(false);
    const std::string_view rest = text_.substr(position_);
    int count = 0;
    const auto [stop, status] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (status != std::errc() || count < 0 || count > kMaxRepetitions) {
      return error(fmt::format("expected a number of repetitions up to {}", kMaxRepetitions));
    }
    position_ += static_cast<size_t>(stop - rest.data());
    return count;
  }

  std::string_view text_;
  std::string field_;
  size_t position_ = 0;
  GbnfGrammar grammar_;
  std::unordered_map<std::string, size_t> names_;  // -> index in grammar_.rules
};

}  // namespace

Result<GbnfGrammar> parse_gbnf(std::string_view text, const std::string& field) {
  return Parser(text, field).parse();
}

}  // namespace twostroke

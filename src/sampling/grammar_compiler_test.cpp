// Goal: outputs that follow the masks meet the grammar, and nothing a client sends breaks the
// compiler. Method: random walks under the mask over small vocabularies, where every byte is a
// token; what each notation means is checked on sentences that are in and out of the language.
#include "sampling/grammar_compiler.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/philox.h"
#include "sampling/gbnf.h"

namespace twostroke {
namespace {

using Kind = GrammarSpec::Kind;

constexpr TokenId kEnd = 256;
constexpr TokenId kCall = 257;  // a special token

GrammarVocabulary byte_vocabulary() {
  GrammarVocabulary vocabulary;
  for (int i = 0; i < 256; ++i) vocabulary.token_bytes.emplace_back(1, static_cast<char>(i));
  vocabulary.token_bytes.insert(vocabulary.token_bytes.end(),
                                {"<|end|>", "<|call|>", "true", "ab", "\":", "\", \"", "  "});
  vocabulary.is_special.resize(vocabulary.token_bytes.size());
  vocabulary.is_special[kEnd] = vocabulary.is_special[kCall] = true;
  vocabulary.end_tokens = {kEnd};
  return vocabulary;
}

class GrammarCompilerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto made = GrammarCompiler::create(byte_vocabulary());
    ASSERT_TRUE(made.ok()) << made.error().message;
    compiler_ = std::move(made).value();
  }
  static void TearDownTestSuite() { compiler_.reset(); }

  static std::shared_ptr<const Grammar> compile(Kind kind, const std::string& text) {
    auto grammar = compiler_->compile({kind, text, "field"});
    EXPECT_TRUE(grammar.ok()) << text << ": " << (grammar.ok() ? "" : grammar.error().message);
    return grammar.ok() ? std::move(grammar).value() : nullptr;
  }

  static Error refusal(Kind kind, const std::string& text) {
    auto grammar = compiler_->compile({kind, text, "field"});
    EXPECT_FALSE(grammar.ok()) << text.substr(0, 200);
    return grammar.ok() ? Error{} : grammar.error();
  }

  // Byte by byte.
  static bool matches(const Grammar& grammar, const std::string& text) {
    const auto matcher = grammar.start();
    std::vector<uint32_t> mask(token_mask_words(byte_vocabulary().token_bytes.size()));
    for (const char c : text) {
      const TokenId token = static_cast<unsigned char>(c);
      if (!matcher->compute_mask(mask).ok() || !is_allowed(mask, token)) return false;
      if (!matcher->accept(token).ok()) return false;
    }
    return matcher->compute_mask(mask).ok() && is_allowed(mask, kEnd);
  }

  // Draws until the end token, which is taken with more and more likelihood.
  static std::string random_sentence(const Grammar& grammar, uint64_t seed) {
    const GrammarVocabulary vocabulary = byte_vocabulary();
    const auto matcher = grammar.start();
    std::vector<uint32_t> mask(token_mask_words(vocabulary.token_bytes.size()));
    std::string text;
    for (uint64_t i = 0; i < 4000; ++i) {
      const Status status = matcher->compute_mask(mask);
      EXPECT_TRUE(status.ok()) << status.error().message;
      if (!status.ok()) return text;
      std::vector<TokenId> allowed;
      for (TokenId t = 0; t < static_cast<TokenId>(vocabulary.token_bytes.size()); ++t) {
        if (is_allowed(mask, t)) allowed.push_back(t);
      }
      const double u = philox_uniform(seed, i);
      TokenId token = allowed[static_cast<size_t>(u * static_cast<double>(allowed.size()))];
      // Structure rather than ever more text.
      for (const TokenId wanted : {TokenId{kEnd}, TokenId{'}'}, TokenId{']'}, TokenId{'"'}}) {
        if (is_allowed(mask, wanted) && philox_uniform(seed + 1, i) < 0.4) token = wanted;
      }
      if (token == kEnd) return text;
      EXPECT_TRUE(matcher->accept(token).ok());
      text += vocabulary.token_bytes[static_cast<size_t>(token)];
    }
    ADD_FAILURE() << "no end after 4000 tokens: " << text.substr(0, 300);
    return text;
  }

  static std::unique_ptr<GrammarCompiler> compiler_;
};

std::unique_ptr<GrammarCompiler> GrammarCompilerTest::compiler_;

TEST_F(GrammarCompilerTest, RegexMatchesTheWholeOutput) {
  const auto grammar = compile(Kind::kRegex, "[a-c]{2,3}(x|yz)");
  EXPECT_TRUE(matches(*grammar, "abx"));
  EXPECT_TRUE(matches(*grammar, "abcyz"));
  EXPECT_FALSE(matches(*grammar, "ax"));
  EXPECT_FALSE(matches(*grammar, "abxx"));
  EXPECT_FALSE(matches(*grammar, "ab"));
}

TEST_F(GrammarCompilerTest, JsonSchemasKeepTypesAndOrder) {
  const auto grammar =
      compile(Kind::kJsonSchema,
              R"({"type":"object","properties":{"b":{"type":"integer"},"a":{"enum":["x","y"]}},
          "required":["b","a"],"additionalProperties":false})");
  EXPECT_TRUE(matches(*grammar, R"({"b": 12, "a": "x"})"));
  EXPECT_TRUE(matches(*grammar, "{\"b\":-1,\n  \"a\":\"y\"}"));
  EXPECT_FALSE(matches(*grammar, R"({"a": "x", "b": 12})"));
  EXPECT_FALSE(matches(*grammar, R"({"b": 1.5, "a": "x"})"));
  EXPECT_FALSE(matches(*grammar, R"({"b": 1})"));
  EXPECT_FALSE(matches(*grammar, R"({"b":   1, "a": "x"})")) << "white space is bounded";
}

TEST_F(GrammarCompilerTest, RandomJsonIsJson) {
  for (
      const std::string schema :
      {R"({"type":"object"})", R"(true)", R"({})", R"({"type":"array","items":{"type":"string"}})",
       R"({"type":"object","properties":{"n":{"type":"integer","maximum":1000000},"s":{"type":"string","maxLength":5},
            "l":{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":3}},
            "required":["n","s","l"]})"}) {
    const auto grammar = compile(Kind::kJsonSchema, schema);
    ASSERT_NE(grammar, nullptr);
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const std::string text = random_sentence(*grammar, 100 * seed);
      EXPECT_TRUE(nlohmann::json::accept(text)) << schema << ": " << text;
    }
  }
}

TEST_F(GrammarCompilerTest, LarkMayNameSpecialTokens) {
  const auto grammar = compile(Kind::kLark, "start: <|call|> \"(\" /[0-9]+/ \")\"\n");
  std::vector<uint32_t> mask(token_mask_words(byte_vocabulary().token_bytes.size()));
  const auto matcher = grammar->start();
  ASSERT_TRUE(matcher->compute_mask(mask).ok());
  EXPECT_TRUE(is_allowed(mask, kCall));
  EXPECT_FALSE(is_allowed(mask, '<')) << "the token, not its spelling";
  ASSERT_TRUE(matcher->accept(kCall).ok());
  ASSERT_TRUE(matcher->compute_mask(mask).ok());
  EXPECT_TRUE(is_allowed(mask, '('));
}

TEST_F(GrammarCompilerTest, MatchersAreIndependent) {
  const auto grammar = compile(Kind::kRegex, "ab|cd");
  const auto first = grammar->start();
  const auto second = grammar->start();
  std::vector<uint32_t> mask(token_mask_words(byte_vocabulary().token_bytes.size()));
  ASSERT_TRUE(first->compute_mask(mask).ok());
  ASSERT_TRUE(first->accept('a').ok());
  ASSERT_TRUE(second->compute_mask(mask).ok());
  EXPECT_TRUE(is_allowed(mask, 'c'));
  ASSERT_TRUE(first->compute_mask(mask).ok());
  EXPECT_FALSE(is_allowed(mask, 'c'));
}

struct GbnfCase {
  std::string grammar;
  std::vector<std::string> in, out;
};

TEST_F(GrammarCompilerTest, GbnfMeansWhatLlamaCppSays) {
  const std::vector<GbnfCase> cases = {
      {"root ::= \"yes\" | \"no\"", {"yes", "no"}, {"ye", "noo", ""}},
      {"root ::= [0-9]+ \".\" [0-9]{2}", {"1.25", "123.00"}, {"1.2", ".25", "1.255"}},
      {"root ::= word \"end\"\nword ::= [a-z]*", {"end", "fooend", "endend"}, {"foo", "en"}},
      {"root ::= (\"a\" |\n  \"b\")? [^x\\n] .", {"abc", "zz", "b\n"}, {"x", "\nz", "abcd"}},
      {"# comment\nroot ::= item{1,3} # more\nitem ::= \"\\x41\" | \"\\u00e9\"",
       {"A", "\u00e9", "AA\u00e9"},
       {"AAAA", "a", ""}},
      {"root ::= \"(\" root \")\" | \"x\"", {"x", "(x)", "((x))"}, {"(x", "()", "x)"}},
      {"root ::= expr\nexpr ::= expr \"+\" term | term\nterm ::= \"ab\" | [a-b] | \"(\" expr \")\"",
       {"a", "ab", "a+b", "(ab+a)+b"},
       {"abb", "a+", "()"}},
      {"root ::= s \"b\"\ns ::= [a-b] s | \"\"", {"b", "ab", "abab", "bbb"}, {"a", "", "ba"}},
      {"root ::= \"a\"\n | \"b\"", {"a", "b"}, {"ab"}},
      {"root-2 ::= \"-\"\nroot ::= root-2 [a\\-z] [\\]^]", {"-a]", "--^", "-z]"}, {"-b]"}},
  };
  for (const GbnfCase& it : cases) {
    const auto grammar = compile(Kind::kGbnf, it.grammar);
    ASSERT_NE(grammar, nullptr);
    for (const std::string& text : it.in)
      EXPECT_TRUE(matches(*grammar, text)) << it.grammar << text;
    for (const std::string& text : it.out) {
      EXPECT_FALSE(matches(*grammar, text)) << it.grammar << text;
    }
  }
}

TEST_F(GrammarCompilerTest, GbnfErrorsSayTheLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no rule called root"},
      {"root ::= \"a", "line 1: a string without"},
      {"root ::= [a", "line 1: a character class without"},
      {"root ::= []", "empty character class"},
      {"root ::= [z-a]", "end is before its start"},
      {"root ::= \"a\"\nroot ::= \"b\"", "line 2: the rule root is defined twice"},
      {"root ::= \"a\"\n\nb ::= c", "line 3: the rule c is not defined"},
      {"root ::= (\"a\"", "expected )"},
      {"root ::= \"a\" )", "unexpected ')'"},
      {"root = \"a\"", "expected ::= after root"},
      {"root ::= \"\\q\"", "unknown escape"},
      {"root ::= \"\\ud800\"", "hexadecimal"},
      {"root ::= \"a\"{3,1}", "n < m"},
      {"root ::= \"a\"{9999}", "up to 2000"},
      {"root ::= " + std::string(100, '(') + "\"a\"" + std::string(100, ')'), "nested deeper"},
      {"root ::= \"a\"" + std::string(100, '*'), "too many repetitions"},
      {"root ::= \"\xC3\"", "UTF-8"},
  };
  for (const auto& [grammar, message] : cases) {
    const Error error = refusal(Kind::kGbnf, grammar);
    EXPECT_NE(error.message.find(message), std::string::npos) << grammar << ": " << error.message;
    EXPECT_EQ(error.field, "field");
  }
}

TEST_F(GrammarCompilerTest, RefusesWhatItWouldNotKeep) {
  for (const std::string schema :
       {R"({"type":"array","uniqueItems":true})", R"({"not":{"type":"string"}})", R"(7)", R"({)",
        R"({"type":"strin"})", R"({"$ref":"https://example.com/other.json"})", R"(false)",
        R"({"type":"string","format":"no-such-format"})",
        R"({"x-guidance":{"lenient":true},"type":"array","uniqueItems":true})",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}})",
        R"({"type":"integer","minimum":5,"maximum":4})"}) {
    const Error error = refusal(Kind::kJsonSchema, schema);
    EXPECT_EQ(error.field, "field") << schema;
    EXPECT_FALSE(error.message.empty());
    EXPECT_EQ(error.message.find("<non-verbose"), std::string::npos) << error.message;
  }
  refusal(Kind::kRegex, "a(b");
  refusal(Kind::kRegex, "(?=a)b");
  refusal(Kind::kLark, "start: nowhere");
  refusal(Kind::kLark, "");
  refusal(Kind::kRegex, std::string("a\0b", 3));
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST_F(GrammarCompilerTest, HostileGrammarsAreBounded) {
  const std::string deep_schema =
      repeated(R"({"type":"array","items":)", 5000) + "true" + repeated("}", 5000);
  EXPECT_EQ(refusal(Kind::kJsonSchema, deep_schema).code, ErrorCode::kTooLarge);
  EXPECT_EQ(refusal(Kind::kRegex, std::string((size_t{512} << 10) + 1, 'a')).code,
            ErrorCode::kTooLarge);
  refusal(Kind::kRegex, repeated("(", 20'000) + repeated(")", 20'000));
  refusal(Kind::kLark, "start: " + repeated("(", 100'000) + "\"a\"" + repeated(")", 100'000));
  // Either an error or a matcher whose masks stay within their budget.
  for (const std::string regex :
       {"((((a{1000}){1000}){1000}){1000}){1000}", "(a?){5000}a{5000}",
        "(a|aa)+(b|ab|aab)*(.*x){200}", "[^a]*a[^b]*b.{1000}c", "(x+x+)+y", "\\p{L}{1000,2000}"}) {
    auto grammar = compiler_->compile({Kind::kRegex, regex, "field"});
    if (!grammar.ok()) continue;
    const auto matcher = (*grammar)->start();
    std::vector<uint32_t> mask(token_mask_words(byte_vocabulary().token_bytes.size()));
    for (int i = 0; i < 50; ++i) {
      if (!matcher->compute_mask(mask).ok() || !is_allowed(mask, 'a')) break;
      if (!matcher->accept('a').ok()) break;
    }
  }
}

}  // namespace
}  // namespace twostroke

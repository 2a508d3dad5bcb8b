// Fuzzes the tokenizer. The first byte chooses: 0xFF reads the rest as a GGUF file and tokenises a
// fixed text with what comes out of it; others pick a pre-tokenizer (or SentencePiece) over a small
// vocabulary for the rest as text.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gguf/gguf_file.h"
#include "tokenizer/detokenizer.h"
#include "tokenizer/pre_tokenizer_table.h"
#include "tokenizer/test_vocabularies.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

namespace twostroke {
namespace {

constexpr uint8_t kReadGguf = 0xFF;
constexpr const char* kSampleText = "Hello <s>world</s>, 123\n\n  \xE4\xBD\xA0\xFF";

using Tokenizers = std::vector<std::unique_ptr<Tokenizer>>;

// One for each profile of the table, then SentencePiece.
const Tokenizers& tokenizers() {
  static const Tokenizers all = [] {
    Tokenizers made;
    for (const PreTokenizerProfile& profile : all_pre_tokenizers()) {
      testing_vocabularies::HandMade vocabulary = testing_vocabularies::byte_level();
      vocabulary.data.pre = std::string(profile.names[0]);
      vocabulary.merge("a", "a");
      vocabulary.merge("aa", "aa");
      vocabulary.merge("b", "a");
      vocabulary.add("<|im_end|>", TokenType::kControl);
      vocabulary.add("<a", TokenType::kUserDefined);
      vocabulary.add("a>", TokenType::kUserDefined);
      made.push_back(vocabulary.build());
    }
    testing_vocabularies::HandMade pieces = testing_vocabularies::sentence_piece();
    for (const char* text : {"a", "aa", "ab", "\xE2\x96\x81", "\xE2\x96\x81\xE2\x96\x81",
                             "\xE2\x96\x81"
                             "a"}) {
      pieces.add(text, TokenType::kNormal, -1.0F);
    }
    pieces.add("<a", TokenType::kUserDefined);
    made.push_back(pieces.build());
    return made;
  }();
  return all;
}

void check_tokens(const Tokenizer& tokenizer, const std::vector<TokenId>& tokens) {
  Detokenizer stream(tokenizer, {.skip_special = false, .strip_space_prefix = true});
  std::string streamed;
  for (const TokenId token : tokens) {
    CHECK(token >= 0 && token < tokenizer.vocab_size());
    const std::string piece = stream.push(token);
    CHECK(is_valid_utf8(piece));
    streamed += piece;
  }
  streamed += stream.flush();
  CHECK(streamed == tokenizer.decode(tokens));
}

void fuzz_text(size_t choice, std::string_view text) {
  const Tokenizer& tokenizer = *tokenizers()[choice % tokenizers().size()];
  const std::vector<TokenId> plain = tokenizer.encode(text);
  check_tokens(tokenizer, plain);
  check_tokens(tokenizer, tokenizer.encode(text, {.add_special = true, .parse_special = true}));
  const PreTokenizerProfile* profile = choice % tokenizers().size() < all_pre_tokenizers().size()
                                           ? &all_pre_tokenizers()[choice % tokenizers().size()]
                                           : nullptr;
  // These have a token for every byte, so text comes back whole.
  if (profile != nullptr && profile->byte_level)
    CHECK(tokenizer.decode(plain) == replace_invalid_bytes(text));
}

void fuzz_file(std::span<const uint8_t> bytes) {
  const auto file = GgufFile::parse(bytes, "fuzz");
  if (!file.ok()) return;
  const auto tokenizer = Tokenizer::load(*file);
  if (!tokenizer.ok()) {
    CHECK(!tokenizer.error().message.empty());
    return;
  }
  check_tokens(**tokenizer,
               (*tokenizer)->encode(kSampleText, {.add_special = true, .parse_special = true}));
}

}  // namespace
}  // namespace twostroke

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if (data[0] == twostroke::kReadGguf) {
    twostroke::fuzz_file({data + 1, size - 1});
  } else {
    twostroke::fuzz_text(data[0], {reinterpret_cast<const char*>(data + 1), size - 1});
  }
  return 0;
}

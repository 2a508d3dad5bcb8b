// llama.cpp's own vocabularies with its own expected tokens (scripts/fetch_test_data.py). Every
// vocabulary file is named here; those whose tokenizer model we lack must fail with the error that
// says so.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gguf/gguf_file.h"
#include "tokenizer/detokenizer.h"
#include "tokenizer/tokenizer.h"

namespace twostroke {
namespace {

constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";

struct VocabularyCase {
  const char* name;
  bool has_vectors;
  const char* unsupported = nullptr;  // what the error must name
};

// All 19 files.
const VocabularyCase kCases[] = {
    {"aquila", false},
    {"baichuan", false},
    {"bert-bge", true, "WordPiece"},
    {"command-r", true},
    {"deepseek-coder", true},
    {"deepseek-llm", true},
    {"falcon", true},
    {"gemma-4", true},
    {"gpt-2", true},
    {"gpt-neox", false},
    {"llama-bpe", true},
    {"llama-spm", true},
    {"mpt", true},
    {"nomic-bert-moe", false, "unigram"},
    {"phi-3", true},
    {"qwen2", true},
    {"qwen35", true},
    {"refact", true},
    {"starcoder", true},
};

std::filesystem::path vocabulary_folder() {
  if (const char* folder = std::getenv("TWOSTROKE_TEST_DATA")) {
    return std::filesystem::path(folder) / "vocabularies";
  }
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base = cache != nullptr && *cache != '\0'
                                         ? std::filesystem::path(cache)
                                     : home != nullptr ? std::filesystem::path(home) / ".cache"
                                                       : std::filesystem::path();
  return base / "twostroke" / "test-data" / "vocabularies";
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split_inputs(const std::string& text) {
  std::vector<std::string> inputs;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find(kSeparator, begin);
    inputs.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) break;
    begin = end + kSeparator.size();
  }
  return inputs;
}

std::vector<std::vector<TokenId>> split_outputs(const std::string& text) {
  std::vector<std::vector<TokenId>> outputs;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    std::vector<TokenId>& tokens = outputs.emplace_back();
    for (TokenId token; numbers >> token;) tokens.push_back(token);
  }
  return outputs;
}

class LlamaVectors : public testing::TestWithParam<VocabularyCase> {
 protected:
  static std::filesystem::path file(const char* suffix) {
    return vocabulary_folder() / (std::string("ggml-vocab-") + GetParam().name + ".gguf" + suffix);
  }
};

TEST_P(LlamaVectors, SameTokens) {
  if (!std::filesystem::exists(file(""))) {
    GTEST_SKIP() << file("") << " is absent; scripts/fetch_test_data.py fetches it";
  }
  const auto gguf = GgufFile::open(file("").string());
  ASSERT_TRUE(gguf.ok()) << gguf.error().message;
  auto loaded = Tokenizer::load(*gguf);
  if (GetParam().unsupported != nullptr) {
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(loaded.error().message.find(GetParam().unsupported), std::string::npos)
        << loaded.error().message;
    return;
  }
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const Tokenizer& tokenizer = **loaded;
  const char* vectors =
      GetParam().has_vectors ? GetParam().name : "gpt-2";  // inputs are worth a round trip
  const auto inputs = split_inputs(
      read_text(vocabulary_folder() / (std::string("ggml-vocab-") + vectors + ".gguf.inp")));
  const auto expected = split_outputs(read_text(file(".out")));
  ASSERT_GT(inputs.size(), 40U);
  if (GetParam().has_vectors) {
    ASSERT_EQ(inputs.size(), expected.size());
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<TokenId> tokens = tokenizer.encode(inputs[i]);
    if (GetParam().has_vectors) {
      EXPECT_EQ(tokens, expected[i]) << "input " << i << ": '" << inputs[i] << "'";
    }
    EXPECT_EQ(tokenizer.decode(tokens), inputs[i]);
    Detokenizer stream(tokenizer, {.strip_space_prefix = true});
    std::string streamed;
    for (const TokenId token : tokens) streamed += stream.push(token);
    EXPECT_EQ(streamed + stream.flush(), inputs[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(, LlamaVectors, testing::ValuesIn(kCases), [](const auto& parameter) {
  std::string name = parameter.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace twostroke

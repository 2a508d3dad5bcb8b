// tokenizer_speed MODEL.gguf TEXT...: load time, and how fast each file is encoded and decoded. Not
// a test.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/clock.h"
#include "gguf/gguf_file.h"
#include "tokenizer/tokenizer.h"

namespace twostroke {
namespace {

constexpr int kRepeats = 5;  // the best of

void measure(const Tokenizer& tokenizer, const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const SteadyClock clock;
  int64_t encode_ns = INT64_MAX;
  int64_t decode_ns = INT64_MAX;
  std::vector<TokenId> tokens;
  std::string decoded;
  for (int i = 0; i < kRepeats; ++i) {
    const int64_t start = clock.now_ns();
    tokens = tokenizer.encode(text);
    const int64_t middle = clock.now_ns();
    decoded = tokenizer.decode(tokens);
    encode_ns = std::min(encode_ns, middle - start);
    decode_ns = std::min(decode_ns, clock.now_ns() - middle);
  }
  const auto megabytes_per_s = [&text](int64_t ns) {
    return 1e3 * static_cast<double>(text.size()) / static_cast<double>(ns);
  };
  fmt::print("{}: {} bytes, {} tokens, encode {:.1f} MB/s, decode {:.1f} MB/s, round trip {}\n",
             path, text.size(), tokens.size(), megabytes_per_s(encode_ns),
             megabytes_per_s(decode_ns), decoded == text ? "equal" : "differs");
}

int run(int argc, char** argv) {
  const SteadyClock clock;
  const auto file = GgufFile::open(argv[1]);
  if (!file.ok()) {
    fmt::print(stderr, "{}\n", file.error().message);
    return 1;
  }
  const int64_t start = clock.now_ns();
  const auto tokenizer = Tokenizer::load(*file);
  if (!tokenizer.ok()) {
    fmt::print(stderr, "{}\n", tokenizer.error().message);
    return 1;
  }
  fmt::print("load {:.1f} ms, {} tokens\n", static_cast<double>(clock.now_ns() - start) / 1e6,
             (*tokenizer)->vocab_size());
  for (int i = 2; i < argc; ++i) measure(**tokenizer, argv[i]);
  return 0;
}

}  // namespace
}  // namespace twostroke

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: tokenizer_speed MODEL.gguf TEXT...\n");
    return 2;
  }
  return twostroke::run(argc, argv);
}

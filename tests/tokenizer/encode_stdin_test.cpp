// Our side of compare_with_independent.py: encode_stdin_test MODEL.gguf reads one JSON object a
// line,
// {"hex": bytes of the text, "parse_special": bool}, and answers each with
// {"ids": tokens, "decoded": hex of decode(), "streamed": hex of the Detokenizer's pieces, joined}.
// It also checks that no streamed piece has half a code point, and answers {"error": …} when one
// has.
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gguf/gguf_file.h"
#include "tokenizer/detokenizer.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

namespace twostroke {
namespace {

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

nlohmann::json answer(const Tokenizer& tokenizer, const nlohmann::json& request) {
  const std::string text = from_hex(request.at("hex").get<std::string>());
  const std::vector<TokenId> tokens =
      tokenizer.encode(text, {.parse_special = request.at("parse_special").get<bool>()});
  Detokenizer stream(tokenizer, {.skip_special = false, .strip_space_prefix = true});
  std::string streamed;
  for (const TokenId token : tokens) {
    const std::string piece = stream.push(token);
    if (!is_valid_utf8(piece)) return {{"error", "piece " + to_hex(piece) + " is not UTF-8"}};
    streamed += piece;
  }
  streamed += stream.flush();
  return {{"ids", tokens},
          {"decoded", to_hex(tokenizer.decode(tokens))},
          {"streamed", to_hex(streamed)}};
}

int run(const char* path) {
  const auto file = GgufFile::open(path);
  if (!file.ok()) {
    fmt::print(stderr, "{}\n", file.error().message);
    return 1;
  }
  const auto tokenizer = Tokenizer::load(*file);
  if (!tokenizer.ok()) {
    fmt::print(stderr, "{}\n", tokenizer.error().message);
    return 1;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer(**tokenizer, nlohmann::json::parse(line)).dump() << '\n';
  }
  return 0;
}

}  // namespace
}  // namespace twostroke

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: encode_stdin_test MODEL.gguf < REQUESTS\n");
    return 2;
  }
  return twostroke::run(argv[1]);
}

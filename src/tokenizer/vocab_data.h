// VocabData: everything a tokenizer is made from, as plain data: what vocab_loader reads out of a
// GGUF file, or what a test writes by hand. Defaults are already applied. Not the run-time
// vocabulary (vocabulary.h). The views must outlive Tokenizer::create(), which copies what it
// keeps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace twostroke {

enum class TokenizerKind {
  kBpe,            // merges with ranks; byte-level or raw UTF-8, as the pre-tokenizer says
  kSentencePiece,  // merges by score, byte fallback
};

// As `tokenizer.ggml.token_type` numbers them.
enum class TokenType : uint8_t {
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct VocabData {
  TokenizerKind kind = TokenizerKind::kBpe;
  std::string pre = "default";  // name of the pre-tokenizer (kBpe only)
  std::vector<std::string_view>
      tokens;                    // [vocab_size] as in the file: byte-level text is still mapped
  std::vector<float> scores;     // [vocab_size] or empty; kSentencePiece needs them
  std::vector<TokenType> types;  // [vocab_size] or empty: all normal
  std::vector<std::string_view> merges;  // "left right", best first (kBpe)

  TokenId bos_id = kNoToken;
  TokenId eos_id = kNoToken;
  TokenId eot_id = kNoToken;
  TokenId eom_id = kNoToken;
  TokenId unk_id = kNoToken;
  TokenId pad_id = kNoToken;
  TokenId fim_pad_id = kNoToken;  // these three end a generation
  TokenId fim_rep_id = kNoToken;
  TokenId fim_sep_id = kNoToken;

  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = false;  // kSentencePiece only

  std::string
      model_name;  // general.name and general.architecture: some models' special tokens strip
  std::string architecture;  // whitespace, and the file has no other sign of it
};

}  // namespace twostroke

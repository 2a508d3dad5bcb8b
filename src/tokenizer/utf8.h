// UTF-8 as the tokenizer needs it: strict decoding (no overlong forms, no surrogates, nothing above
// U+10FFFF), and the two ways of repairing text that the field uses. No Unicode properties: those
// are PCRE2's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace twostroke {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

enum class Utf8Status { kValid, kInvalid, kIncomplete };

struct Utf8Step {
  Utf8Status status = Utf8Status::kInvalid;
  // kValid: bytes of the code point. Otherwise bytes of the "maximal subpart": the longest prefix
  // that could have begun a code point, at least 1. kIncomplete: that prefix ends with the text.
  size_t length = 1;
};

// REQUIRES: pos < text.size().
Utf8Step utf8_step(std::string_view text, size_t pos);

bool is_valid_utf8(std::string_view text);

// Bytes that a lead byte announces, whatever follows; 1 for a continuation byte. As llama.cpp walks
// raw text.
inline size_t utf8_length_by_lead(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Every byte that is no part of a code point becomes its own U+FFFD: what llama.cpp encodes.
std::string replace_invalid_bytes(std::string_view text);

// Every maximal subpart becomes one U+FFFD: what Python, Rust and browsers decode.
std::string replace_invalid_subparts(std::string_view text);

}  // namespace twostroke

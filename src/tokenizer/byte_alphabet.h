// The byte alphabet of byte-level BPE: each of the 256 bytes is written as one printable code point
// (printable Latin-1 stands for itself, the others are U+0100 upwards), so that vocabularies are
// text files. Source: GPT-2's encoder (Radford et al. 2019), used by every byte-level model since.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twostroke {

class ByteAlphabet {
 public:
  static const ByteAlphabet& instance();

  std::string_view letter(uint8_t byte) const { return letters_[byte]; }  // 1 or 2 bytes of UTF-8
  // The bytes that `text` spells, or nothing when it has a code point outside the alphabet.
  std::optional<std::string> decode(std::string_view text) const;

 private:
  static constexpr uint32_t kNumCodePoints = 0x144;
  ByteAlphabet();

  std::array<std::string, 256> letters_;
  std::array<int16_t, kNumCodePoints> byte_of_;  // code point -> byte, or -1
};

}  // namespace twostroke

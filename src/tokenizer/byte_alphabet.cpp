#include "tokenizer/byte_alphabet.h"

namespace twostroke {
namespace {

bool stands_for_itself(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

}  // namespace

const ByteAlphabet& ByteAlphabet::instance() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

ByteAlphabet::ByteAlphabet() {
  byte_of_.fill(-1);
  uint32_t next_free = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t code_point = stands_for_itself(byte) ? byte : next_free++;
    byte_of_[code_point] = static_cast<int16_t>(byte);
    std::string& letter = letters_[byte];
    if (code_point < 0x80) {
      letter = static_cast<char>(code_point);
    } else {
      letter = {static_cast<char>(0xC0 | (code_point >> 6)),
                static_cast<char>(0x80 | (code_point & 0x3F))};
    }
  }
}

std::optional<std::string> ByteAlphabet::decode(std::string_view text) const {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    uint32_t code_point = static_cast<uint8_t>(text[i++]);
    if (code_point >= 0x80) {
      if (code_point < 0xC2 || code_point >= 0xE0 || i == text.size()) return std::nullopt;
      const uint32_t second = static_cast<uint8_t>(text[i++]);
      if ((second & 0xC0) != 0x80) return std::nullopt;
      code_point = ((code_point & 0x1F) << 6) | (second & 0x3F);
    }
    if (code_point >= kNumCodePoints || byte_of_[code_point] < 0) return std::nullopt;
    bytes += static_cast<char>(byte_of_[code_point]);
  }
  return bytes;
}

}  // namespace twostroke

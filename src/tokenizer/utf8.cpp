#include "tokenizer/utf8.h"

#include <cstring>

namespace twostroke {
namespace {

struct LeadByte {
  size_t length;       // 0: cannot begin a code point
  uint8_t second_min;  // the second byte's range excludes overlong forms, surrogates and > U+10FFFF
  uint8_t second_max;
};

LeadByte classify(uint8_t lead) {
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// First position at or after `pos` that is not ASCII.
size_t skip_ascii(std::string_view text, size_t pos) {
  while (pos + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + pos, 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
    pos += 8;
  }
  while (pos < text.size() && static_cast<uint8_t>(text[pos]) < 0x80) ++pos;
  return pos;
}

std::string repair(std::string_view text, bool whole_subparts) {
  std::string repaired;
  repaired.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) {
    const size_t ascii_end = skip_ascii(text, pos);
    repaired.append(text, pos, ascii_end - pos);
    pos = ascii_end;
    if (pos == text.size()) break;
    const Utf8Step step = utf8_step(text, pos);
    if (step.status == Utf8Status::kValid) {
      repaired.append(text, pos, step.length);
      pos += step.length;
    } else {
      repaired += kReplacement;
      pos += whole_subparts ? step.length : 1;
    }
  }
  return repaired;
}

}  // namespace

Utf8Step utf8_step(std::string_view text, size_t pos) {
  const auto lead = static_cast<uint8_t>(text[pos]);
  if (lead < 0x80) return {Utf8Status::kValid, 1};
  const LeadByte expected = classify(lead);
  if (expected.length == 0) return {Utf8Status::kInvalid, 1};
  for (size_t i = 1; i < expected.length; ++i) {
    if (pos + i == text.size()) return {Utf8Status::kIncomplete, i};
    const auto byte = static_cast<uint8_t>(text[pos + i]);
    const uint8_t min = i == 1 ? expected.second_min : uint8_t{0x80};
    const uint8_t max = i == 1 ? expected.second_max : uint8_t{0xBF};
    if (byte < min || byte > max) return {Utf8Status::kInvalid, i};
  }
  return {Utf8Status::kValid, expected.length};
}

bool is_valid_utf8(std::string_view text) {
  for (size_t pos = skip_ascii(text, 0); pos < text.size(); pos = skip_ascii(text, pos)) {
    const Utf8Step step = utf8_step(text, pos);
    if (step.status != Utf8Status::kValid) return false;
    pos += step.length;
  }
  return true;
}

std::string replace_invalid_bytes(std::string_view text) {
  return repair(text, false);
}

std::string replace_invalid_subparts(std::string_view text) {
  return repair(text, true);
}

}  // namespace twostroke

// Utf8Stream: whole code points only, wherever the bytes are cut; broken bytes become what Python's
// bytes.decode("utf-8", "replace") makes of them (the expected strings below are its output).
#include "engine/utf8_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace twostroke {
namespace {

// Cuts the bytes at the set bits of `cuts` and joins what comes out.
std::string decode(std::string_view bytes, uint64_t cuts) {
  Utf8Stream stream;
  std::string text;
  std::string piece;
  for (size_t i = 0; i < bytes.size(); ++i) {
    piece += bytes[i];
    if ((cuts >> (i % 64) & 1U) != 0) {
      stream.append(piece, text);
      piece.clear();
    }
  }
  stream.append(piece, text);
  stream.finish(text);
  return text;
}

struct Case {
  std::string bytes, text;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"plain", "plain"},
      {"\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80", "\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80"},
      {"a\x80z", "a\xEF\xBF\xBDz"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // surrogate
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xF0\x9F\x98x", "\xEF\xBF\xBDx"},  // one maximal broken run
      {"\xE6\x97", "\xEF\xBF\xBD"},        // ends inside a code point
      {"\xE6\x97\xC3\xA9", "\xEF\xBF\xBD\xC3\xA9"},
      {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {std::string("\0b", 2), std::string("\0b", 2)},
  };
  return kCases;
}

TEST(Utf8Stream, IsTheSameHoweverTheBytesAreCut) {
  for (const Case& example : cases()) {
    for (uint64_t cuts = 0; cuts < uint64_t{1} << example.bytes.size(); ++cuts) {
      ASSERT_EQ(decode(example.bytes, cuts), example.text) << example.text << " cuts " << cuts;
    }
  }
}

TEST(Utf8Stream, HoldsAnIncompleteCodePointBack) {
  Utf8Stream stream;
  std::string text;
  stream.append("a\xF0\x9F\x98", text);
  EXPECT_EQ(text, "a");
  stream.append("\x80", text);
  EXPECT_EQ(text, "a\xF0\x9F\x98\x80");
}

}  // namespace
}  // namespace twostroke

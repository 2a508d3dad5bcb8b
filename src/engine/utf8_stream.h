// Utf8Stream: turns the bytes of successive tokens into text of whole code points. A code point cut
// by a token border is held back until it is complete; what can never become one is U+FFFD, one for
// each maximal broken run, as the Unicode standard (3.9, "U+FFFD substitution of maximal subparts")
// and Python's decoder do it.
#pragma once

#include <string>
#include <string_view>

namespace twostroke {

class Utf8Stream {
 public:
  // Appends to `text` what `bytes` completes.
  void append(std::string_view bytes, std::string& text);
  // The stream is over: an incomplete code point becomes U+FFFD.
  void finish(std::string& text);

 private:
  std::string pending_;  // at most 3 bytes: the start of a code point
};

}  // namespace twostroke

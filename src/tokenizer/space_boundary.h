// SpaceBoundary: where text with escaped spaces (U+2581) may be cut without changing what merges
// do: before a space that no token has after the same byte inside. Cutting makes words short,
// cacheable and cheap to merge. Immutable after construction and add(): any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace twostroke {

inline constexpr std::string_view kEscapedSpace = "\xE2\x96\x81";  // U+2581

class SpaceBoundary {
 public:
  // A text that merging may build: no cut may fall inside it.
  void add(std::string_view text) {
    for (size_t pos = text.find(kEscapedSpace, 1); pos < text.size();
         pos = text.find(kEscapedSpace, pos + 1)) {
      crossed_[static_cast<uint8_t>(text[pos - 1])] = true;
    }
  }
  // End of the first word of `text` from `begin` on.
  size_t word_end(std::string_view text, size_t begin) const {
    size_t pos = text.find(kEscapedSpace, begin + 1);
    while (pos < text.size() && crossed_[static_cast<uint8_t>(text[pos - 1])]) {
      pos = text.find(kEscapedSpace, pos + 1);
    }
    return pos < text.size() ? pos : text.size();
  }

 private:
  std::array<bool, 256> crossed_ = {};  // by the byte before an inner space
};

}  // namespace twostroke

// WordText: text of so many words, a function of seed and stream alone. The words are common ones
// that nearly every vocabulary has as single tokens, with and without a space before them, so that
// words are tokens (measure/workload/calibration.h checks it).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace twostroke {

// Lower-case English words, all different.
const std::vector<std::string>& common_words();

class WordText {
 public:
  // REQUIRES: words is not empty.
  explicit WordText(std::vector<std::string> words = common_words());

  // "time year people …": the words [first, first + count) of a stream. Streams of one seed have
  // nothing in common. REQUIRES: count >= 0, first >= 0.
  std::string text(uint64_t seed, uint64_t stream, int count, int first = 0) const;

  const std::vector<std::string>& words() const { return words_; }

 private:
  std::vector<std::string> words_;
};

}  // namespace twostroke

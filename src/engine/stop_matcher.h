// StopMatcher: lets a growing text through, except for what may be the start of a stop string, and
// ends it where the first stop string is complete. What it emits does not depend on how the text
// was cut into pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace twostroke {

class StopMatcher {
 public:
  explicit StopMatcher(std::vector<std::string> stop_strings);  // none of them empty

  // Appends to `emitted` the text that is now certain. Returns the stop string that became complete
  // first, or nullptr; it and all after it are dropped. Not to be called again after a match.
  const std::string* append(std::string_view text, std::string& emitted);
  // The text is over: what was held back is text after all.
  void finish(std::string& emitted);

 private:
  struct Match {
    size_t begin = 0, end = 0;
    const std::string* stop = nullptr;
  };
  Match first_match(size_t old_size) const;
  size_t held_back() const;

  std::vector<std::string> stop_strings_;
  std::string held_;  // not yet emitted
};

}  // namespace twostroke

#include "engine/utf8_stream.h"

#include <cstddef>

#include "tokenizer/utf8.h"

namespace twostroke {

void Utf8Stream::append(std::string_view bytes, std::string& text) {
  pending_.append(bytes);
  size_t pos = 0;
  while (pos < pending_.size()) {
    const Utf8Step step = utf8_step(pending_, pos);
    if (step.status == Utf8Status::kIncomplete) break;  // may still be completed
    if (step.status == Utf8Status::kValid) {
      text.append(pending_, pos, step.length);
    } else {
      text.append(kReplacement);
    }
    pos += step.length;
  }
  pending_.erase(0, pos);
}

void Utf8Stream::finish(std::string& text) {
  if (!pending_.empty()) text.append(kReplacement);
  pending_.clear();
}

}  // namespace twostroke

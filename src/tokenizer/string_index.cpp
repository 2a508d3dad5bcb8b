#include "tokenizer/string_index.h"

#include <bit>

namespace twostroke {

StringIndex::StringIndex(size_t expected)
    : slots_(std::bit_ceil(expected * 2 + 16)), mask_(slots_.size() - 1) {
  strings_.reserve(expected);
}

int32_t StringIndex::insert(std::string_view text) {
  if (const int32_t known = find(text); known != kNotFound) return known;
  if ((strings_.size() + 1) * 2 > slots_.size()) grow();
  const int32_t index = size();
  strings_.push_back(text);
  const size_t hash = std::hash<std::string_view>{}(text);
  size_t slot = hash & mask_;
  while (slots_[slot].index != kNotFound) slot = (slot + 1) & mask_;
  slots_[slot] = {index, tag_of(hash)};
  return index;
}

void StringIndex::grow() {
  std::vector<Slot> larger(slots_.size() * 2);
  mask_ = larger.size() - 1;
  for (int32_t index = 0; index < size(); ++index) {
    const size_t hash = std::hash<std::string_view>{}(text(index));
    size_t slot = hash & mask_;
    while (larger[slot].index != kNotFound) slot = (slot + 1) & mask_;
    larger[slot] = {index, tag_of(hash)};
  }
  slots_ = std::move(larger);
}

}  // namespace twostroke

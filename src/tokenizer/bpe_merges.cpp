#include "tokenizer/bpe_merges.h"

#include <fmt/format.h>

#include <bit>

namespace twostroke {

Result<BpeMerges> BpeMerges::create(const Vocabulary& vocabulary,
                                    const std::vector<std::string_view>& merges) {
  if (merges.size() > (size_t{1} << 30)) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("{} merges, at most 2^30 are supported", merges.size()),
                 "tokenizer.ggml.merges"};
  }
  BpeMerges table(vocabulary);
  table.pairs_.resize(std::bit_ceil(merges.size() * 2 + 16));
  table.mask_ = table.pairs_.size() - 1;
  std::string joined;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const size_t space = merges[rank].find(' ', 1);
    if (space == std::string_view::npos) continue;  // no pair: nothing could ever match it
    const std::string_view left = merges[rank].substr(0, space);
    const std::string_view right = merges[rank].substr(space + 1);
    joined.assign(left).append(right);
    const int32_t left_symbol = table.intern(left);
    const int32_t right_symbol = table.intern(right);
    table.add(left_symbol, right_symbol, {static_cast<int32_t>(rank), table.intern(joined)});
  }
  return table;
}

int32_t BpeMerges::symbol(std::string_view text) const {
  const TokenId token = vocabulary_->find(text);
  if (token != kNoToken) return token;
  const int32_t extra = extra_index_.find(text);
  return extra == StringIndex::kNotFound ? kUnknownSymbol : num_tokens_ + extra;
}

int32_t BpeMerges::intern(std::string_view text) {
  const int32_t known = symbol(text);
  if (known != kUnknownSymbol) return known;
  extra_texts_.emplace_back(text);
  return num_tokens_ + extra_index_.insert(extra_texts_.back());
}

void BpeMerges::add(int32_t left, int32_t right, PairMerge merge) {
  const uint64_t key = key_of(left, right);
  size_t slot = hash_of(key) & mask_;
  while (pairs_[slot].key != kEmpty) {
    if (pairs_[slot].key == key) return;  // the better rank came first
    slot = (slot + 1) & mask_;
  }
  pairs_[slot] = {key, merge};
}

}  // namespace twostroke

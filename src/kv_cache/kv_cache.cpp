#include "kv_cache/kv_cache.h"

#include "base/check.h"

namespace twostroke {

KvCache::KvCache(int num_blocks, int block_size, PrefixHash hash)
    : block_size_(block_size), pool_(num_blocks), index_(num_blocks, block_size, hash) {}

void KvCache::start_empty(std::string_view salt, KvSequence& sequence) {
  CHECK(sequence.block_table.empty());
  sequence.num_committed_blocks = 0;
  sequence.tail = index_.start(salt);
  sequence.epoch = epoch_;
}

int KvCache::match_prefix(std::span<const TokenId> tokens, std::string_view salt,
                          KvSequence& sequence) {
  CHECK(!tokens.empty());
  start_empty(salt, sequence);
  const auto size = static_cast<size_t>(block_size_);
  // Stops one token early: somebody has to produce the logits that follow the last token.
  for (size_t first = 0; first + size <= tokens.size() - 1; first += size) {
    const PrefixIndex::Hit hit = index_.find(sequence.tail, tokens.subspan(first, size), salt);
    if (hit.block == kNoBlock) break;
    pool_.reference(hit.block);
    sequence.block_table.push_back(hit.block);
    sequence.tail = hit.link;
    ++sequence.num_committed_blocks;
  }
  return sequence.num_committed_blocks * block_size_;
}

bool KvCache::grow(int num_tokens, KvSequence& sequence) {
  const int num_new = blocks_for(num_tokens) - static_cast<int>(sequence.block_table.size());
  if (num_new > pool_.num_available()) return false;
  for (int i = 0; i < num_new; ++i) {
    const BlockPool::Taken taken = pool_.take();
    CHECK_EQ(taken.evicted, index_.contains(taken.block));
    if (taken.evicted) index_.remove(taken.block);
    sequence.block_table.push_back(taken.block);
  }
  return true;
}

void KvCache::commit(std::span<const TokenId> tokens, int num_computed, std::string_view salt,
                     KvSequence& sequence) {
  if (sequence.epoch != epoch_) return;  // what precedes it was forgotten: nobody could find it
  CHECK_LE(static_cast<size_t>(num_computed), tokens.size());
  const auto size = static_cast<size_t>(block_size_);
  while ((sequence.num_committed_blocks + 1) * block_size_ <= num_computed) {
    const auto at = static_cast<size_t>(sequence.num_committed_blocks);
    const std::span<const TokenId> block_tokens = tokens.subspan(at * size, size);
    const BlockId block = sequence.block_table.at(at);
    // Two requests may compute the same at the same time. The first one is found; the second goes
    // on behind it, as the content is the same.
    const PrefixIndex::Hit known = index_.find(sequence.tail, block_tokens, salt);
    sequence.tail = known.block != kNoBlock
                        ? known.link
                        : index_.insert(block, sequence.tail, block_tokens, salt);
    ++sequence.num_committed_blocks;
  }
}

void KvCache::release(KvSequence& sequence) {
  while (!sequence.block_table.empty()) {
    const BlockId block = sequence.block_table.back();
    sequence.block_table.pop_back();
    pool_.release(block, index_.contains(block));
  }
  sequence.num_committed_blocks = 0;
}

void KvCache::reset_prefix_cache() {
  ++epoch_;
  for (BlockId block = 0; block < pool_.num_blocks(); ++block) {
    if (index_.contains(block)) index_.remove(block);
    if (pool_.is_cached(block)) pool_.drop_cached(block);
  }
}

void KvCache::check_invariants() const {
  pool_.check_invariants();
  index_.check_invariants();
  for (BlockId block = 0; block < pool_.num_blocks(); ++block) {
    if (pool_.num_references(block) > 0) continue;
    CHECK_EQ(pool_.is_cached(block), index_.contains(block));  // cached exactly when findable
  }
}

}  // namespace twostroke

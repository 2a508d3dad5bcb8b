// PrefixIndex: finds the block that already holds the KV of a given run of tokens after a given
// prefix. Hashes only find candidates; a hit needs equal tokens, the same preceding content and, at
// the start, the same salt (law 3), so even a broken hash function cannot make a false hit.
// Preallocated, O(1) expected. Engine thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace twostroke {

// What stands before a block: nothing (content 0, with the salt in the hash), or a run of full
// blocks. Content numbers are never reused, so one that was evicted can never be mistaken for
// another.
struct PrefixLink {
  uint64_t hash = 0;
  uint64_t content = 0;  // 0: the start of a sequence
};

// Replaceable so that tests can force collisions.
struct PrefixHash {
  uint64_t (*salt)(std::string_view salt);
  uint64_t (*block)(uint64_t previous, std::span<const TokenId> tokens);
};
PrefixHash default_prefix_hash();

class PrefixIndex {
 public:
  PrefixIndex(int num_blocks, int block_size, PrefixHash hash = default_prefix_hash());

  // The link before the first block of any sequence with this salt.
  PrefixLink start(std::string_view salt) const { return {hash_.salt(salt), 0}; }

  struct Hit {
    BlockId block = kNoBlock;  // kNoBlock: nothing found
    PrefixLink link;           // stands before the block after this one
  };
  // `tokens`: [block_size]. `salt` is compared at the start of a sequence only; after it the link
  // implies it.
  Hit find(const PrefixLink& before, std::span<const TokenId> tokens, std::string_view salt) const;
  // Makes `block` findable and returns its link. REQUIRES: find() of the same finds nothing, block
  // is not in.
  PrefixLink insert(BlockId block, const PrefixLink& before, std::span<const TokenId> tokens,
                    std::string_view salt);
  void remove(BlockId block);  // REQUIRES: contains(block)
  bool contains(BlockId block) const { return entry(block).content != 0; }
  void check_invariants() const;

 private:
  struct Entry {
    uint64_t hash = 0;
    uint64_t content = 0;  // 0: this block is not in the index
    uint64_t parent = 0;   // content before it
    BlockId previous_in_bucket = kNoBlock;
    BlockId next_in_bucket = kNoBlock;
    std::string salt;  // of a first block; empty otherwise
  };

  Entry& entry(BlockId block);
  const Entry& entry(BlockId block) const;
  std::span<const TokenId> tokens_of(BlockId block) const;
  size_t bucket_of(uint64_t hash) const { return hash & (buckets_.size() - 1); }

  int block_size_;
  PrefixHash hash_;
  uint64_t next_content_ = 1;
  std::vector<Entry> entries_;    // [num_blocks]
  std::vector<TokenId> tokens_;   // [num_blocks, block_size]
  std::vector<BlockId> buckets_;  // power of two
};

}  // namespace twostroke

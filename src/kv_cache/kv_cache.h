// KvCache: gives sequences their KV blocks and finds prefixes that are already computed. It is the
// interface of the scheduler to block pool and prefix index; it holds no keys or values (the model
// does). Engine thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "kv_cache/block_pool.h"
#include "kv_cache/prefix_index.h"

namespace twostroke {

// The blocks of one sequence. The table only grows while the sequence runs: [0, n) of it never
// changes.
struct KvSequence {
  std::vector<BlockId> block_table;
  int num_committed_blocks = 0;  // full blocks whose content the index was told
  PrefixLink tail;               // what the committed blocks hold
  uint64_t epoch = 0;            // of the cache when it started; a reset ends its commits
};

class KvCache {
 public:
  KvCache(int num_blocks, int block_size, PrefixHash hash = default_prefix_hash());

  // Starts `sequence` with the longest run of full blocks known for the beginning of `tokens` and
  // returns how many tokens that covers. It is always less than tokens.size(): the last token must
  // be computed to be continued. REQUIRES: the sequence holds no blocks.
  int match_prefix(std::span<const TokenId> tokens, std::string_view salt, KvSequence& sequence);
  // Starts `sequence` with nothing. REQUIRES: it holds no blocks.
  void start_empty(std::string_view salt, KvSequence& sequence);
  // Grows the table until it covers `num_tokens` tokens: all of it, or nothing and false.
  [[nodiscard]] bool grow(int num_tokens, KvSequence& sequence);
  // Makes the full blocks of tokens [0, num_computed) findable, for running and later sequences
  // alike.
  void commit(std::span<const TokenId> tokens, int num_computed, std::string_view salt,
              KvSequence& sequence);
  // Gives all blocks back, last block first, so that a prefix outlives what follows it.
  void release(KvSequence& sequence);
  // Forgets all content; blocks in use stay with their sequences but are not found any more.
  void reset_prefix_cache();

  int blocks_for(int num_tokens) const { return (num_tokens + block_size_ - 1) / block_size_; }
  int block_size() const { return block_size_; }
  const BlockPool& pool() const { return pool_; }
  void check_invariants() const;

 private:
  int block_size_;
  BlockPool pool_;
  PrefixIndex index_;
  uint64_t epoch_ = 0;
};

}  // namespace twostroke

// BlockPool: which KV blocks are referenced, which are free, and in what order they are taken
// again. Bookkeeping only: it holds no keys or values and knows no tokens. Everything is allocated
// in the constructor and every operation is O(1). Owner: KvCache; engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace twostroke {

// A block is in exactly one state: referenced (num_references > 0), free (unreferenced, nothing in
// it worth keeping) or cached (unreferenced, but its content can still be found by the prefix
// index).
class BlockPool {
 public:
  explicit BlockPool(int num_blocks);

  // Takes a free block, else the least recently released cached one, with one reference. `evicted`
  // says that it was cached: the caller forgets its content. REQUIRES: num_available() > 0.
  struct Taken {
    BlockId block = kNoBlock;
    bool evicted = false;
  };
  Taken take();
  // One more reference; a cached block leaves the list.
  void reference(BlockId block);
  // One reference less; the last one puts the block on the cached list's young end, or on the free
  // list.
  void release(BlockId block, bool keep_cached);
  // The content of a cached block is no longer findable: it becomes free. REQUIRES: it is cached.
  void drop_cached(BlockId block);

  int num_blocks() const { return static_cast<int>(nodes_.size()); }
  int num_free() const { return free_.size; }
  int num_cached() const { return cached_.size; }
  int num_referenced() const { return num_blocks() - free_.size - cached_.size; }
  int num_shared() const { return num_shared_; }  // of the referenced: by more than one
  int num_available() const { return free_.size + cached_.size; }
  int num_references(BlockId block) const { return node(block).num_references; }
  bool is_cached(BlockId block) const { return node(block).list == ListId::kCached; }

  // CHECKs that free + cached + referenced = total and that the lists hold what they claim.
  // O(num_blocks).
  void check_invariants() const;

 private:
  enum class ListId : uint8_t { kNone, kFree, kCached };
  struct Node {
    BlockId previous = kNoBlock;
    BlockId next = kNoBlock;
    int num_references = 0;
    ListId list = ListId::kNone;
  };
  struct List {  // oldest first
    BlockId oldest = kNoBlock;
    BlockId youngest = kNoBlock;
    int size = 0;
  };

  Node& node(BlockId block);
  const Node& node(BlockId block) const;
  List& list_of(ListId id) { return id == ListId::kFree ? free_ : cached_; }
  void append(ListId id, BlockId block);
  void unlink(BlockId block);
  int check_list(ListId id) const;

  std::vector<Node> nodes_;  // [num_blocks]
  List free_;
  List cached_;
  int num_shared_ = 0;
};

}  // namespace twostroke

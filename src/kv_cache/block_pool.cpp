#include "kv_cache/block_pool.h"

#include "base/check.h"

namespace twostroke {

BlockPool::BlockPool(int num_blocks) {
  CHECK_GT(num_blocks, 0);
  nodes_.resize(static_cast<size_t>(num_blocks));
  for (BlockId block = 0; block < num_blocks; ++block) append(ListId::kFree, block);
}

BlockPool::Taken BlockPool::take() {
  CHECK_GT(num_available(), 0);
  const bool evicted = free_.size == 0;
  const BlockId block = evicted ? cached_.oldest : free_.oldest;
  unlink(block);
  CHECK_EQ(node(block).num_references, 0);
  node(block).num_references = 1;
  return {block, evicted};
}

void BlockPool::reference(BlockId block) {
  if (node(block).num_references == 0) {
    CHECK(is_cached(block));  // what is in a free block is nobody's
    unlink(block);
  }
  if (++node(block).num_references == 2) ++num_shared_;
}

void BlockPool::release(BlockId block, bool keep_cached) {
  CHECK_GT(node(block).num_references, 0);
  const int left = --node(block).num_references;
  if (left == 1) --num_shared_;
  if (left > 0) return;
  append(keep_cached ? ListId::kCached : ListId::kFree, block);
}

void BlockPool::drop_cached(BlockId block) {
  CHECK(is_cached(block));
  unlink(block);
  append(ListId::kFree, block);
}

BlockPool::Node& BlockPool::node(BlockId block) {
  CHECK_LT(static_cast<size_t>(block), nodes_.size());  // a negative id becomes huge
  return nodes_[static_cast<size_t>(block)];
}

const BlockPool::Node& BlockPool::node(BlockId block) const {
  CHECK_LT(static_cast<size_t>(block), nodes_.size());
  return nodes_[static_cast<size_t>(block)];
}

void BlockPool::append(ListId id, BlockId block) {
  List& list = list_of(id);
  Node& added = node(block);
  CHECK(added.list == ListId::kNone);
  added = {.previous = list.youngest, .next = kNoBlock, .num_references = 0, .list = id};
  (list.youngest == kNoBlock ? list.oldest : node(list.youngest).next) = block;
  list.youngest = block;
  ++list.size;
}

void BlockPool::unlink(BlockId block) {
  Node& removed = node(block);
  CHECK(removed.list != ListId::kNone);
  List& list = list_of(removed.list);
  (removed.previous == kNoBlock ? list.oldest : node(removed.previous).next) = removed.next;
  (removed.next == kNoBlock ? list.youngest : node(removed.next).previous) = removed.previous;
  removed.previous = removed.next = kNoBlock;
  removed.list = ListId::kNone;
  --list.size;
}

int BlockPool::check_list(ListId id) const {
  const List& list = id == ListId::kFree ? free_ : cached_;
  int size = 0;
  BlockId previous = kNoBlock;
  for (BlockId block = list.oldest; block != kNoBlock; block = node(block).next) {
    CHECK(node(block).list == id);
    CHECK_EQ(node(block).num_references, 0);
    CHECK_EQ(node(block).previous, previous);
    CHECK_LE(++size, num_blocks());  // a cycle would never end
    previous = block;
  }
  CHECK_EQ(list.youngest, previous);
  CHECK_EQ(list.size, size);
  return size;
}

void BlockPool::check_invariants() const {
  int referenced = 0;
  int shared = 0;
  for (const Node& node : nodes_) {
    if (node.list == ListId::kNone) {
      CHECK_GT(node.num_references, 0);
      ++referenced;
      shared += node.num_references > 1 ? 1 : 0;
    }
  }
  CHECK_EQ(shared, num_shared_);
  CHECK_EQ(check_list(ListId::kFree) + check_list(ListId::kCached) + referenced, num_blocks());
}

}  // namespace twostroke

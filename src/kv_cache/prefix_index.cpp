#include "kv_cache/prefix_index.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace twostroke {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

uint64_t hash_salt(std::string_view salt) {
  uint64_t hash = mix(salt.size());
  for (const char byte : salt) hash = mix(hash ^ static_cast<uint8_t>(byte));
  return hash;
}

uint64_t hash_block(uint64_t previous, std::span<const TokenId> tokens) {
  uint64_t hash = mix(previous);
  for (const TokenId token : tokens) hash = mix(hash ^ static_cast<uint32_t>(token));
  return hash;
}

}  // namespace

PrefixHash default_prefix_hash() {
  return {hash_salt, hash_block};
}

PrefixIndex::PrefixIndex(int num_blocks, int block_size, PrefixHash hash)
    : block_size_(block_size), hash_(hash) {
  CHECK_GT(num_blocks, 0);
  CHECK_GT(block_size, 0);
  const auto count = static_cast<size_t>(num_blocks);
  entries_.resize(count);
  tokens_.assign(count * static_cast<size_t>(block_size), kNoToken);
  buckets_.assign(std::bit_ceil(2 * count), kNoBlock);
}

PrefixIndex::Hit PrefixIndex::find(const PrefixLink& before, std::span<const TokenId> tokens,
                                   std::string_view salt) const {
  CHECK_EQ(tokens.size(), static_cast<size_t>(block_size_));
  const uint64_t hash = hash_.block(before.hash, tokens);
  BlockId block = buckets_[bucket_of(hash)];
  for (; block != kNoBlock; block = entry(block).next_in_bucket) {
    const Entry& candidate = entry(block);
    if (candidate.hash != hash || candidate.parent != before.content) continue;
    if (before.content == 0 && candidate.salt != salt) continue;
    if (!std::ranges::equal(tokens_of(block), tokens)) continue;
    return {block, {hash, candidate.content}};
  }
  return {};
}

PrefixLink PrefixIndex::insert(BlockId block, const PrefixLink& before,
                               std::span<const TokenId> tokens, std::string_view salt) {
  CHECK_EQ(tokens.size(), static_cast<size_t>(block_size_));
  CHECK(!contains(block));
  Entry& added = entry(block);
  added.hash = hash_.block(before.hash, tokens);
  added.content = next_content_++;
  added.parent = before.content;
  if (before.content == 0) added.salt = salt;
  std::ranges::copy(tokens, tokens_.begin() + static_cast<ptrdiff_t>(block) * block_size_);

  BlockId& bucket = buckets_[bucket_of(added.hash)];
  added.previous_in_bucket = kNoBlock;
  added.next_in_bucket = bucket;
  if (bucket != kNoBlock) entry(bucket).previous_in_bucket = block;
  bucket = block;
  return {added.hash, added.content};
}

void PrefixIndex::remove(BlockId block) {
  CHECK(contains(block));
  Entry& removed = entry(block);
  (removed.previous_in_bucket == kNoBlock ? buckets_[bucket_of(removed.hash)]
                                          : entry(removed.previous_in_bucket).next_in_bucket) =
      removed.next_in_bucket;
  if (removed.next_in_bucket != kNoBlock) {
    entry(removed.next_in_bucket).previous_in_bucket = removed.previous_in_bucket;
  }
  removed.content = 0;
  removed.salt.clear();
}

PrefixIndex::Entry& PrefixIndex::entry(BlockId block) {
  CHECK_LT(static_cast<size_t>(block), entries_.size());
  return entries_[static_cast<size_t>(block)];
}

const PrefixIndex::Entry& PrefixIndex::entry(BlockId block) const {
  CHECK_LT(static_cast<size_t>(block), entries_.size());
  return entries_[static_cast<size_t>(block)];
}

std::span<const TokenId> PrefixIndex::tokens_of(BlockId block) const {
  const auto size = static_cast<size_t>(block_size_);
  return {tokens_.data() + static_cast<size_t>(block) * size, size};
}

void PrefixIndex::check_invariants() const {
  size_t in_buckets = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    BlockId previous = kNoBlock;
    for (BlockId block = buckets_[bucket]; block != kNoBlock; block = entry(block).next_in_bucket) {
      CHECK(contains(block));
      CHECK_EQ(bucket_of(entry(block).hash), bucket);
      CHECK_EQ(entry(block).previous_in_bucket, previous);
      CHECK_LE(++in_buckets, entries_.size());
      previous = block;
    }
  }
  const auto contained =
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.content != 0; });
  CHECK_EQ(in_buckets, static_cast<size_t>(contained));
}

}  // namespace twostroke

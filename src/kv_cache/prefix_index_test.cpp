// PrefixIndex: law 3. A hit needs equal tokens, equal preceding content and an equal salt, whatever
// the hash says; so the tests run with a good hash and with one that sends everything to the same
// place.
#include "kv_cache/prefix_index.h"

#include <gtest/gtest.h>

#include <array>

namespace twostroke {
namespace {

using Tokens = std::array<TokenId, 2>;

PrefixHash colliding_hash() {
  return {[](std::string_view) { return uint64_t{42}; },
          [](uint64_t, std::span<const TokenId>) { return uint64_t{42}; }};
}

class PrefixIndexLaw : public testing::TestWithParam<bool> {
 protected:
  PrefixIndexLaw() : index_(8, 2, GetParam() ? colliding_hash() : default_prefix_hash()) {}
  PrefixIndex index_;
};

TEST_P(PrefixIndexLaw, FindsWhatWasInsertedAndNothingElse) {
  const PrefixLink start = index_.start("");
  const PrefixLink link = index_.insert(3, start, Tokens{1, 2}, "");
  EXPECT_EQ(index_.find(start, Tokens{1, 2}, "").block, 3);
  EXPECT_EQ(index_.find(start, Tokens{1, 2}, "").link.content, link.content);
  EXPECT_EQ(index_.find(start, Tokens{1, 3}, "").block, kNoBlock);
  EXPECT_EQ(index_.find(start, Tokens{2, 1}, "").block, kNoBlock);
  index_.check_invariants();
}

TEST_P(PrefixIndexLaw, SameTokensAfterAnotherPrefixAreNotTheSame) {
  const PrefixLink start = index_.start("");
  const PrefixLink one = index_.insert(0, start, Tokens{1, 1}, "");
  const PrefixLink two = index_.insert(1, start, Tokens{2, 2}, "");
  index_.insert(2, one, Tokens{9, 9}, "");
  EXPECT_EQ(index_.find(one, Tokens{9, 9}, "").block, 2);
  EXPECT_EQ(index_.find(two, Tokens{9, 9}, "").block, kNoBlock);
  EXPECT_EQ(index_.find(start, Tokens{9, 9}, "").block, kNoBlock);
}

TEST_P(PrefixIndexLaw, SaltsNeverShare) {
  index_.insert(0, index_.start("alice"), Tokens{1, 2}, "alice");
  EXPECT_EQ(index_.find(index_.start("alice"), Tokens{1, 2}, "alice").block, 0);
  EXPECT_EQ(index_.find(index_.start("bob"), Tokens{1, 2}, "bob").block, kNoBlock);
  EXPECT_EQ(index_.find(index_.start(""), Tokens{1, 2}, "").block, kNoBlock);
}

TEST_P(PrefixIndexLaw, AForgottenPrefixThatComesBackDoesNotRevive) {
  const PrefixLink start = index_.start("");
  const PrefixLink first = index_.insert(0, start, Tokens{1, 2}, "");
  index_.insert(1, first, Tokens{3, 4}, "");
  index_.remove(0);
  const PrefixLink again = index_.insert(2, start, Tokens{1, 2}, "");
  EXPECT_NE(again.content, first.content);
  // Lost, never false: block 1 belongs to content that is gone.
  EXPECT_EQ(index_.find(again, Tokens{3, 4}, "").block, kNoBlock);
}

TEST_P(PrefixIndexLaw, RemovesFromAnyPlaceInABucket) {
  const PrefixLink start = index_.start("");
  for (TokenId i = 0; i < 8; ++i) index_.insert(i, start, Tokens{i, i}, "");
  for (const BlockId block : {0, 7, 3}) index_.remove(block);
  index_.check_invariants();
  for (TokenId i = 0; i < 8; ++i) {
    const bool gone = i == 0 || i == 7 || i == 3;
    EXPECT_EQ(index_.find(start, Tokens{i, i}, "").block, gone ? kNoBlock : i);
  }
}

INSTANTIATE_TEST_SUITE_P(Hash, PrefixIndexLaw, testing::Bool(), [](const auto& param) {
  return param.param ? std::string("EverythingCollides") : std::string("Default");
});

}  // namespace
}  // namespace twostroke

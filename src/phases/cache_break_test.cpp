// Why a prefix was not reused: each reason on prompts that are made for it, and differences against
// what was edited. Also: prompts of two salts have nothing in common.
#include "phases/cache_break.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

namespace twostroke {
namespace {

constexpr int kBlock = 16;

std::vector<TokenId> tokens(int first, int num) {
  std::vector<TokenId> out(static_cast<size_t>(num));
  std::iota(out.begin(), out.end(), first);
  return out;
}

Fingerprint print(const std::vector<std::vector<TokenId>>& parts, const char* salt = "") {
  std::vector<TokenId> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return fingerprint_of(all, fingerprint_key(1, salt));
}

CacheVerdict judge(const Fingerprint& prompt, const std::vector<Fingerprint>& earlier, int reused,
                   bool computed = true, bool salted = false) {
  std::vector<EarlierPrompt> prompts;
  for (const Fingerprint& one : earlier) prompts.push_back({&one, computed});
  return judge_cache(prompt, prompts, reused, kBlock, true, salted);
}

TEST(CacheBreak, ATimestampInFrontOfAStableText) {
  const Fingerprint now = print({tokens(0, 10), tokens(9000, 3), tokens(100, 1893)});
  const Fingerprint before = print({tokens(0, 10), tokens(8000, 4), tokens(100, 1893)});
  const CacheVerdict verdict = judge(now, {print({tokens(7000, 50)}), before}, 0);
  EXPECT_EQ(verdict.reason, CacheReason::kDiverged);
  EXPECT_EQ(verdict.earlier, 1);
  EXPECT_EQ(verdict.difference.common_prefix, 10);
  EXPECT_EQ(verdict.difference.changed_tokens, 3);
  EXPECT_EQ(verdict.difference.earlier_changed_tokens, 4);
  ASSERT_EQ(verdict.again.size(), 1U);
  EXPECT_EQ(verdict.again[0].first_token, 13);
  EXPECT_EQ(verdict.again[0].num_tokens, 1893);
}

TEST(CacheBreak, EachReason) {
  const Fingerprint prompt = print({tokens(0, 100)});
  EXPECT_EQ(judge(prompt, {}, 0).reason, CacheReason::kFirstTime);
  EXPECT_EQ(judge(prompt, {print({tokens(500, 100)})}, 0).reason, CacheReason::kFirstTime);
  EXPECT_EQ(judge(prompt, {}, 0, true, true).reason, CacheReason::kSalt);
  EXPECT_EQ(judge(prompt, {prompt}, 96).reason, CacheReason::kFull);
  EXPECT_EQ(judge(prompt, {prompt}, 0).reason, CacheReason::kEvicted);
  EXPECT_EQ(judge(prompt, {prompt}, 0).again[0].num_tokens, 96);
  EXPECT_EQ(judge(prompt, {prompt}, 32).again[0].num_tokens, 64);
  EXPECT_EQ(judge(prompt, {prompt}, 0, false).reason, CacheReason::kNotYet);
  EXPECT_EQ(judge_cache(prompt, {}, 0, kBlock, false, false).reason, CacheReason::kDisabled);
  // Twelve tokens that were there before, but no full block of them.
  const Fingerprint small = print({tokens(0, 12)});
  EXPECT_EQ(judge(small, {small}, 0).reason, CacheReason::kBlockRounding);
  // The next turn of a conversation: everything before it was reused.
  const CacheVerdict next = judge(print({tokens(0, 100), tokens(300, 40)}), {prompt}, 96);
  EXPECT_EQ(next.reason, CacheReason::kDiverged);
  EXPECT_TRUE(next.again.empty());
}

TEST(CacheBreak, SaltsHaveNothingInCommon) {
  const Fingerprint one = print({tokens(0, 200)}, "one");
  const Fingerprint two = print({tokens(0, 200)}, "two");
  const PromptDifference difference = compare_prompts(one, two);
  EXPECT_EQ(difference.common_prefix, 0);
  EXPECT_EQ(difference.num_identical, 0);
}

// The bookkeeping of any difference: ranges ascend, lie in the prompt after the common prefix, and
// are what the sum says; a prompt compared with itself has none.
TEST(CacheBreak, DifferencesAreConsistentOnRandomEdits) {
  std::mt19937 random(11);
  const auto up_to = [&](int max) { return std::uniform_int_distribution<int>(0, max)(random); };
  for (int round = 0; round < 200; ++round) {
    std::vector<TokenId> text(static_cast<size_t>(up_to(400)));
    for (TokenId& token : text) token = up_to(round % 2 == 0 ? 5 : 5000);
    std::vector<TokenId> edited = text;
    for (int i = up_to(4); i > 0 && !edited.empty(); --i) {
      const auto at = edited.begin() + up_to(static_cast<int>(edited.size()) - 1);
      if (up_to(1) == 0) {
        edited.erase(at);
      } else {
        *at = 9000 + i;
      }
    }
    const Fingerprint a = fingerprint_of(text, 5);
    const Fingerprint b = fingerprint_of(edited, 5);
    const PromptDifference difference = compare_prompts(a, b);
    int end = difference.common_prefix;
    int sum = 0;
    for (const TokenRange& range : difference.identical) {
      EXPECT_GE(range.first_token, end);
      EXPECT_GT(range.num_tokens, 0);
      end = range.first_token + range.num_tokens;
      sum += range.num_tokens;
    }
    EXPECT_LE(end, static_cast<int>(a.size()));
    EXPECT_EQ(sum, difference.num_identical);
    const PromptDifference same = compare_prompts(a, a);
    EXPECT_EQ(same.common_prefix, static_cast<int>(a.size()));
    EXPECT_TRUE(same.identical.empty());
  }
}

}  // namespace
}  // namespace twostroke

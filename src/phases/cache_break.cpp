#include "phases/cache_break.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/check.h"

namespace twostroke {
namespace {

constexpr size_t kMinRun = 8;       // equal tokens that count as "the same text again"
constexpr size_t kLookAhead = 512;  // tokens
constexpr int kMaxDifferences = 64;

// A mixing step of splitmix64.
uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

using Tokens = std::span<const uint32_t>;

size_t common_run(Tokens a, Tokens b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t length = 0;
  while (length < limit && a[length] == b[length]) ++length;
  return length;
}

struct Meeting {
  size_t in_prompt = 0, in_earlier = 0;
  bool found = false;
};

// The nearest place after a difference where both go on with the same kMinRun tokens, or with the
// same shorter end. Nearest: fewest tokens skipped in both together.
Meeting next_meeting(Tokens prompt, Tokens earlier) {
  const size_t n = std::min(prompt.size(), kLookAhead);
  const size_t m = std::min(earlier.size(), kLookAhead);
  std::unordered_map<uint32_t, std::vector<size_t>> places;  // of each token in `earlier`
  for (size_t j = 0; j < m; ++j) places[earlier[j]].push_back(j);
  Meeting best;
  for (size_t i = 0; i < n; ++i) {
    if (best.found && i >= best.in_prompt + best.in_earlier) break;
    const auto found = places.find(prompt[i]);
    if (found == places.end()) continue;
    for (const size_t j : found->second) {
      if (best.found && i + j >= best.in_prompt + best.in_earlier) break;
      const Tokens a = prompt.subspan(i);
      const Tokens b = earlier.subspan(j);
      const size_t run = common_run(a.first(std::min(a.size(), kMinRun)), b);
      const bool to_the_end = run == a.size() && run == b.size() && run > 1;
      if (run >= kMinRun || to_the_end) best = {.in_prompt = i, .in_earlier = j, .found = true};
    }
  }
  return best;
}

}  // namespace

uint64_t fingerprint_key(uint64_t secret, std::string_view salt) {
  uint64_t key = mix(secret ^ salt.size());
  for (const char c : salt) key = mix(key ^ static_cast<uint8_t>(c));
  return key;
}

Fingerprint fingerprint_of(std::span<const TokenId> tokens, uint64_t key) {
  Fingerprint out;
  out.reserve(tokens.size());
  for (const TokenId token : tokens) {
    out.push_back(static_cast<uint32_t>(mix(key ^ static_cast<uint64_t>(token)) >> 32));
  }
  return out;
}

std::string_view cache_reason_name(CacheReason reason) {
  constexpr std::array<std::string_view, 8> kNames = {
      "full", "disabled", "first_time", "salt", "diverged", "evicted", "not_yet", "block_rounding"};
  const auto index = static_cast<size_t>(reason);
  CHECK_LT(index, kNames.size());
  return kNames[index];
}

PromptDifference compare_prompts(std::span<const uint32_t> prompt,
                                 std::span<const uint32_t> earlier) {
  PromptDifference difference;
  size_t at = common_run(prompt, earlier);
  size_t other = at;
  difference.common_prefix = static_cast<int>(at);
  for (int i = 0; i < kMaxDifferences && at < prompt.size() && other < earlier.size(); ++i) {
    const Meeting meeting = next_meeting(prompt.subspan(at), earlier.subspan(other));
    if (i == 0) {
      const bool ends = !meeting.found;
      difference.changed_tokens = static_cast<int>(ends ? prompt.size() - at : meeting.in_prompt);
      difference.earlier_changed_tokens =
          static_cast<int>(ends ? earlier.size() - other : meeting.in_earlier);
    }
    if (!meeting.found) break;
    at += meeting.in_prompt;
    other += meeting.in_earlier;
    const size_t run = common_run(prompt.subspan(at), earlier.subspan(other));
    difference.identical.push_back({static_cast<int>(at), static_cast<int>(run)});
    difference.num_identical += static_cast<int>(run);
    at += run;
    other += run;
  }
  return difference;
}

CacheVerdict judge_cache(std::span<const uint32_t> prompt, std::span<const EarlierPrompt> earlier,
                         int reused_tokens, int block_tokens, bool cache_prompt, bool has_salt) {
  CHECK_GT(block_tokens, 0);
  CacheVerdict verdict;
  verdict.reused_tokens = reused_tokens;
  const int num_tokens = static_cast<int>(prompt.size());
  // The last token is always computed, and only full blocks are kept.
  const int most = num_tokens > 0 ? (num_tokens - 1) / block_tokens * block_tokens : 0;
  if (!cache_prompt) {
    verdict.reason = CacheReason::kDisabled;
    return verdict;
  }
  if (reused_tokens > 0 && reused_tokens >= most) {
    verdict.reason = CacheReason::kFull;
    return verdict;
  }
  int best_score = 0;
  for (size_t i = 0; i < earlier.size(); ++i) {
    PromptDifference difference = compare_prompts(prompt, *earlier[i].tokens);
    const int score = difference.common_prefix + difference.num_identical;
    if (score <= best_score) continue;
    best_score = score;
    verdict.earlier = static_cast<int>(i);
    verdict.difference = std::move(difference);
  }
  if (verdict.earlier < 0 || best_score < static_cast<int>(kMinRun)) {
    verdict.earlier = -1;
    verdict.difference = {};
    verdict.reason = has_salt ? CacheReason::kSalt : CacheReason::kFirstTime;
    return verdict;
  }
  const int common = std::min(verdict.difference.common_prefix, num_tokens - 1);
  const int in_blocks = common / block_tokens * block_tokens;
  if (reused_tokens < in_blocks) {  // it was there once
    const bool computed = earlier[static_cast<size_t>(verdict.earlier)].was_computed;
    verdict.reason = computed ? CacheReason::kEvicted : CacheReason::kNotYet;
    verdict.again.push_back({reused_tokens, in_blocks - reused_tokens});
    return verdict;
  }
  const bool goes_on = verdict.difference.common_prefix < num_tokens;
  verdict.reason = goes_on ? CacheReason::kDiverged : CacheReason::kBlockRounding;
  verdict.again = verdict.difference.identical;
  // Nothing in common but the beginning: the prompt is an earlier one with a new end.
  return verdict;
}

}  // namespace twostroke

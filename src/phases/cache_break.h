// Where a prompt stops being one that was computed before, and what that costs. Prompts are
// compared as fingerprints: a keyed hash for each token, so that no text is kept and prompts of
// different salts, which have different keys, can never be compared. Plain data in, plain data out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "phases/anatomy.h"

namespace twostroke {

using Fingerprint = std::vector<uint32_t>;  // [num_tokens]

// `key`: a secret of this process mixed with the tenant's salt.
uint64_t fingerprint_key(uint64_t secret, std::string_view salt);
Fingerprint fingerprint_of(std::span<const TokenId> tokens, uint64_t key);

// Why the prefix cache did not save (more of) a prefill.
enum class CacheReason : uint8_t {
  kFull,           // it saved all that it could
  kDisabled,       // the request asked not to use it
  kFirstTime,      // nothing like this prompt was seen before
  kSalt,           // nothing like it with this salt: other tenants' prompts are never shared
  kDiverged,       // an earlier prompt begins in the same way, or has later parts in common
  kEvicted,        // an earlier prompt's KV is gone
  kNotYet,         // an earlier prompt had not been computed yet
  kBlockRounding,  // what is missing is less than a block: only full blocks are kept
};
// "full", "disabled", "first_time", "salt", "diverged", "evicted", "not_yet", "block_rounding".
std::string_view cache_reason_name(CacheReason reason);

// Tokens [first_token, first_token + num_tokens) of the prompt.
struct TokenRange {
  int first_token = 0;
  int num_tokens = 0;
};

// Two prompts side by side.
struct PromptDifference {
  int common_prefix = 0;              // tokens that both begin with
  int changed_tokens = 0;             // of this prompt, before they agree again
  int earlier_changed_tokens = 0;     // of the earlier one
  std::vector<TokenRange> identical;  // of this prompt, after the first difference
  int num_identical = 0;              // tokens in `identical`
};
// Finds runs of at least 8 equal tokens after the first difference, looking ahead at most 512
// tokens in both at each of at most 64 differences: O(tokens + differences * 512 * 512) at worst.
PromptDifference compare_prompts(std::span<const uint32_t> prompt,
                                 std::span<const uint32_t> earlier);

// What is known of a prompt that came before.
struct EarlierPrompt {
  const Fingerprint* tokens = nullptr;
  bool was_computed = false;  // its prefill was over when this one was looked up
};

struct CacheVerdict {
  CacheReason reason = CacheReason::kFirstTime;
  int reused_tokens = 0;
  // With kDiverged, kEvicted and kNotYet: which of the earlier prompts, and how it differs.
  int earlier = -1;
  PromptDifference difference;
  // Tokens that were computed although an earlier prompt had them: `identical`, or what was
  // evicted.
  std::vector<TokenRange> again;
};
// `earlier`: prompts with the same salt, newest first.
CacheVerdict judge_cache(std::span<const uint32_t> prompt, std::span<const EarlierPrompt> earlier,
                         int reused_tokens, int block_tokens, bool cache_prompt, bool has_salt);

}  // namespace twostroke

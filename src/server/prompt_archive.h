// PromptArchive: what is remembered of the prompts of the last requests, so that a later one can be
// told where its prefix stopped being the same. Keyed hashes of tokens and the lengths of spans;
// text only when the server was told to keep prompts. Prompts of different salts have different
// keys and are never compared. Bounded by requests and by tokens; the oldest go first. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "phases/cache_break.h"
#include "server/model_services.h"

namespace twostroke {

// Immutable once it is in the archive.
struct ArchivedPrompt {
  RequestId id = 0;
  TracedPrompt traced;
  Fingerprint tokens;  // [num_tokens]
  uint64_t key = 0;    // of the fingerprint
  bool has_salt = false, cache_prompt = true;
  std::string text;  // kept only with --keep-prompts

  int num_tokens() const { return static_cast<int>(tokens.size()); }
};

class PromptArchive {
 public:
  static constexpr size_t kMaxPrompts = 320;  // as many as requests are remembered, and some live
  static constexpr size_t kMaxTokens = size_t{2} << 20;
  static constexpr size_t kMaxCompared = 16;  // earlier prompts that one is compared with

  using Prompt = std::shared_ptr<const ArchivedPrompt>;

  PromptArchive();
  // The key that tokens of this salt are hashed with.
  uint64_t key_of(std::string_view salt) const { return fingerprint_key(secret_, salt); }
  void add(Prompt prompt);
  Prompt find(RequestId id) const;  // null: not (or no longer) there
  // Prompts of earlier requests with the same key, newest first, at most kMaxCompared.
  std::vector<Prompt> earlier_than(const ArchivedPrompt& prompt) const;

 private:
  const uint64_t secret_;  // of this process
  mutable std::mutex mutex_;
  std::deque<Prompt> prompts_;  // in order of arrival
  size_t num_tokens_ = 0;
};

}  // namespace twostroke

// Request: what the scheduler knows of a request. Its phase is not here: how many tokens it wants
// is tokens.size() - num_computed_tokens, and that is all the scheduler asks. Engine thread only
// after submit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "kv_cache/kv_cache.h"

namespace twostroke {

enum class RequestState : uint8_t { kNew, kWaiting, kRunning, kFinished };

struct Request {
  RequestId id = 0;
  std::vector<TokenId> tokens;  // prompt, then generated
  int num_prompt_tokens = 0;
  int num_computed_tokens = 0;  // KV is valid for tokens [0, num_computed_tokens)
  KvSequence kv;
  std::string cache_salt;
  bool cache_prompt = true;  // false: computes everything itself
  RequestState state = RequestState::kNew;

  int num_cached_tokens = 0;  // of the prompt, found at first admission
  int num_preemptions = 0;
  int recompute_until = 0;  // tokens below were computed before and lost by preemption
  bool was_admitted = false;

  // Links of the waiting queue (RequestQueue).
  Request* previous = nullptr;
  Request* next = nullptr;

  int num_tokens() const { return static_cast<int>(tokens.size()); }
  int num_wanted_tokens() const { return num_tokens() - num_computed_tokens; }
  int num_output_tokens() const { return num_tokens() - num_prompt_tokens; }
};

}  // namespace twostroke

#include "engine/request_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace twostroke {
namespace {

Error invalid(const char* field, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), field};
}

Status at_most(const char* field, const char* what, size_t found, int limit) {
  if (found <= static_cast<size_t>(limit)) return {};
  return invalid(field, fmt::format("{}: at most {} {}, found {}", field, limit, what, found));
}

Status check_tokens(const char* field, const std::vector<TokenId>& tokens, int vocab_size) {
  const auto bad =
      std::ranges::find_if(tokens, [&](TokenId token) { return token < 0 || token >= vocab_size; });
  if (bad == tokens.end()) return {};
  return invalid(field, fmt::format("{}: token ids must be in [0, {}), found {} at index {}", field,
                                    vocab_size, *bad, bad - tokens.begin()));
}

Status check_prompt(const std::vector<TokenId>& prompt, const ModelLimits& limits) {
  if (prompt.empty()) return invalid("prompt", "the prompt has no tokens");
  if (prompt.size() >= static_cast<size_t>(limits.max_model_len)) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("the prompt has {} tokens, but at most {} fit: prompt and output "
                             "together have room for {}",
                             prompt.size(), limits.max_model_len - 1, limits.max_model_len),
                 "prompt"};
  }
  return check_tokens("prompt", prompt, limits.vocab_size);
}

Status check_stops(const RequestInput& input, const EngineConfig& config) {
  TRY(at_most("stop", "stop strings", input.stop.size(), config.max_stop_strings));
  TRY(at_most("stop_token_ids", "tokens", input.stop_token_ids.size(), config.max_stop_token_ids));
  for (const std::string& stop : input.stop) {
    if (stop.empty()) return invalid("stop", "stop: a stop string must not be empty");
    TRY(at_most("stop", "bytes in a stop string", stop.size(), config.max_stop_string_bytes));
  }
  return {};
}

Status in_range(const char* field, float value, float lowest, float highest) {
  if (value >= lowest && value <= highest) return {};  // false for NaN
  return invalid(field,
                 fmt::format("{} must be in [{}, {}], found {}", field, lowest, highest, value));
}

Status check_sampling(const SamplingParams& sampling, const EngineConfig& config,
                      const ModelLimits& limits) {
  constexpr float kHuge = 1e6F;
  TRY(in_range("temperature", sampling.temperature, 0, kHuge));
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) {
    return invalid("top_p", fmt::format("top_p must be in (0, 1], found {}", sampling.top_p));
  }
  TRY(in_range("min_p", sampling.min_p, 0, 1));
  TRY(in_range("repetition_penalty", sampling.repetition_penalty, 1e-6F, kHuge));
  TRY(in_range("presence_penalty", sampling.presence_penalty, -2, 2));
  TRY(in_range("frequency_penalty", sampling.frequency_penalty, -2, 2));
  if (sampling.repeat_last_n < -1) {
    return invalid("repeat_last_n", fmt::format("repeat_last_n must be at least -1, found {}",
                                                sampling.repeat_last_n));
  }
  if (sampling.min_tokens < 0) {
    return invalid("min_tokens",
                   fmt::format("min_tokens must be at least 0, found {}", sampling.min_tokens));
  }
  if (sampling.num_logprobs < -1 || sampling.num_logprobs > config.max_logprobs) {
    return invalid("logprobs", fmt::format("logprobs: at most {} per token, found {}",
                                           config.max_logprobs, sampling.num_logprobs));
  }
  TRY(at_most("logit_bias", "entries", sampling.logit_bias.size(), config.max_logit_bias));
  for (const auto& [token, bias] : sampling.logit_bias) {
    if (token < 0 || token >= limits.vocab_size) {
      return invalid("logit_bias", fmt::format("logit_bias: token ids must be in [0, {}), found {}",
                                               limits.vocab_size, token));
    }
    if (!std::isfinite(bias)) return invalid("logit_bias", "logit_bias: a bias is not finite");
  }
  return {};
}

}  // namespace

Status check_request(const RequestInput& input, const EngineConfig& config,
                     const ModelLimits& limits) {
  TRY(check_prompt(input.prompt, limits));
  if (input.max_tokens < 1) {
    return invalid("max_tokens",
                   fmt::format("max_tokens must be at least 1, found {}", input.max_tokens));
  }
  if (input.pooling != Pooling::kNone && input.cache_prompt) {
    return invalid("cache_prompt", "cache_prompt must be false for an embedding");
  }
  TRY(check_stops(input, config));
  TRY(check_tokens("stop_token_ids", input.stop_token_ids, limits.vocab_size));
  TRY(at_most("cache_salt", "bytes", input.cache_salt.size(), config.max_cache_salt_bytes));
  return check_sampling(input.sampling, config, limits);
}

}  // namespace twostroke

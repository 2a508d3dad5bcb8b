// GenerationRequest: a chat or completion request after validation, as plain data. Not yet tokens.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "sampling/grammar.h"
#include "sampling/sampling_params.h"
#include "server/tool_request.h"

namespace twostroke {

// A completion prompt: text, or tokens that the client made itself.
using CompletionPrompt = std::variant<std::string, std::vector<TokenId>>;

struct GenerationRequest {
  // Exactly one of the two is filled.
  nlohmann::ordered_json chat;            // what ModelServices::render_chat takes
  std::vector<CompletionPrompt> prompts;  // completions: at least one
  bool is_chat = false;
  std::string id_prefix;           // of the reply's id; empty: chat's or completions'
  ToolRequest tools;               // chat
  bool separate_reasoning = true;  // chat: reasoning_content; else it is part of the content

  bool echo = false;              // completions: the prompt's text comes before the answer
  int num_choices = 1;            // n, for each prompt
  std::optional<int> max_tokens;  // none: the room left in the context
  SamplingParams sampling;
  std::optional<GrammarSpec> grammar;  // what the output must look like; none: anything
  std::optional<uint64_t> seed;        // none: a random one

  std::vector<std::string> stop;
  std::vector<TokenId> stop_token_ids;
  bool ignore_eos = false;

  bool stream = false;
  bool include_usage = false;
  bool continuous_usage = false;
  bool return_progress = false;
  bool timings_per_token = false;
  bool phases = false;

  std::string cache_salt;
  bool cache_prompt = true;
};

}  // namespace twostroke

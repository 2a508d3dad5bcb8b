// ModelServices: what the server asks of a loaded model besides generating: its facts, tokens and
// the chat template. An interface, so that the HTTP side is tested without a model; apps builds the
// real one. Thread contract: const methods are called from several intake threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/pooling.h"
#include "phases/anatomy.h"
#include "prompt/reply_format.h"
#include "sampling/grammar.h"

namespace twostroke {

// Facts that do not change while the model is loaded; shown by /v1/models and /props.
struct ModelInfo {
  std::string id;            // the name clients use
  std::string root;          // path of the file
  std::string architecture;  // "llama"
  std::string description;   // one line for people, may be empty
  int max_model_len = 0;     // tokens, prompt and answer together
  int vocab_size = 0;
  int hidden_size = 0;  // of an embedding
  Pooling pooling = Pooling::kMean;
  TokenId bos_token = kNoToken, eos_token = kNoToken;
  std::string bos_text, eos_text;
  std::string chat_template;  // source; empty: the model has none
  ReplyFormat reply_format;   // how its answers are read
  // Control tokens of that format, which an answer that is read spells out. Sorted.
  std::vector<TokenId> format_tokens;
  int64_t created_unix_s = 0;  // when it was loaded
  int64_t file_bytes = 0;
  int64_t num_parameters = 0;
  int kv_block_tokens = 0, num_kv_blocks = 0;
  int64_t kv_pool_bytes = 0;
  int max_running = 0;         // requests in one step
  int step_budget_tokens = 0;  // tokens in one step
  int target_itl_ms = 0;       // steps are cut for it; 0: no target
  int num_threads = 0;
  std::string isa;
};

// A prompt and where its tokens came from.
struct TracedPrompt {
  std::vector<PromptSpan> spans;       // without a gap; their tokens sum to the prompt's
  std::vector<uint32_t> token_starts;  // [num_tokens] characters of the prompt before each token
};

class ModelServices {
 public:
  virtual ~ModelServices() = default;
  virtual const ModelInfo& info() const = 0;
  // add_special: BOS/EOS as the file says. parse_special: "<|im_end|>" in the text becomes that
  // token.
  virtual Result<std::vector<TokenId>> encode(std::string_view text, bool add_special,
                                              bool parse_special) const = 0;
  // REQUIRES (and below): every id in [0, vocab_size). Valid UTF-8; special tokens are spelled out.
  virtual std::string decode(std::span<const TokenId> tokens) const = 0;
  // What one token stands for, byte for byte: may be a part of a code point.
  virtual std::string token_bytes(TokenId token) const { return decode({&token, 1}); }
  // `request` is the chat request's JSON object, already validated: messages, and tools, documents,
  // chat_template_kwargs, add_generation_prompt, continue_final_message where the client sent them.
  virtual Result<std::string> render_chat(const nlohmann::ordered_json& request) const = 0;
  // The anatomy of `tokens`, which encode() made of `text`, which render_chat() made of `chat`;
  // without `chat` it is a completion's prompt, one span.
  virtual TracedPrompt trace_prompt(const nlohmann::ordered_json* chat, std::string_view text,
                                    std::span<const TokenId> tokens) const;
  // For this model's vocabulary; errors as GrammarCompiler::compile's.
  virtual Result<std::shared_ptr<const Grammar>> compile_grammar(const GrammarSpec& spec) const = 0;
};

}  // namespace twostroke

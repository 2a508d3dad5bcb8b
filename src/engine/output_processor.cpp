#include "engine/output_processor.h"

#include <algorithm>
#include <utility>

namespace twostroke {

OutputProcessor::OutputProcessor(const TokenText& token_text, OutputLimits limits)
    : token_text_(token_text), limits_(std::move(limits)), stop_matcher_(limits_.stop_strings) {}

bool OutputProcessor::is_stop_token(TokenId token) const {
  if (std::ranges::find(limits_.stop_token_ids, token) != limits_.stop_token_ids.end()) return true;
  return (!limits_.ignore_eos || limits_.has_grammar) &&
         std::ranges::binary_search(token_text_.end_of_generation_tokens(), token);
}

OutputProcessor::Output OutputProcessor::append(TokenId token, int num_output_tokens) {
  const bool may_stop = limits_.has_grammar || num_output_tokens > limits_.min_tokens;
  if (may_stop && is_stop_token(token)) {
    return {flush(), FinishReason::kStop};
  }
  Output output;
  bytes_.clear();
  text_.clear();
  if (std::ranges::binary_search(limits_.spelled_tokens, token)) {
    token_text_.append_spelling(token, bytes_);
  } else {
    token_text_.append_bytes(token, bytes_);
  }
  utf8_.append(bytes_, text_);
  if (const std::string* stop = stop_matcher_.append(text_, output.text)) {
    stop_string_ = *stop;
    output.finish_reason = FinishReason::kStop;
  } else if (num_output_tokens >= limits_.max_tokens) {
    output.text += flush();
    output.finish_reason = FinishReason::kLength;
  }
  return output;
}

// The last bytes may still complete a stop string: U+FFFD can be part of one.
std::string OutputProcessor::flush() {
  std::string emitted;
  text_.clear();
  utf8_.finish(text_);
  if (stop_matcher_.append(text_, emitted) == nullptr) stop_matcher_.finish(emitted);
  return emitted;
}

}  // namespace twostroke

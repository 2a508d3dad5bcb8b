// OutputProcessor: turns the sampled tokens of one request into text events and decides when its
// answer is over. Stop strings are decided here and not by who reads the text: no step is wasted,
// and it is done in one place. Engine thread only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "engine/stop_matcher.h"
#include "engine/token_stream.h"
#include "engine/token_text.h"
#include "engine/utf8_stream.h"

namespace twostroke {

struct OutputLimits {
  int max_tokens = 1;  // clipped to the room in the context already
  int min_tokens = 0;  // no stop token counts before
  bool ignore_eos = false;
  bool has_grammar = false;  // it decides when the answer may end, whatever the two above say
  std::vector<TokenId> stop_token_ids = {};
  std::vector<std::string> stop_strings = {};
  std::vector<TokenId> spelled_tokens = {};  // control tokens that are text; sorted
};

class OutputProcessor {
 public:
  OutputProcessor(const TokenText& token_text, OutputLimits limits);

  struct Output {
    std::string text;  // what the token adds; whole code points
    FinishReason finish_reason = FinishReason::kNone;
  };
  // Takes the `num_output_tokens`-th token, counted from 1. REQUIRES: no earlier output finished.
  Output append(TokenId token, int num_output_tokens);
  // The request ends for another reason: what was held back.
  std::string flush();

  const OutputLimits& limits() const { return limits_; }
  bool is_stop_token(TokenId token) const;
  // The stop string that ended the text.
  const std::optional<std::string>& stop_string() const { return stop_string_; }

 private:
  const TokenText& token_text_;
  OutputLimits limits_;
  Utf8Stream utf8_;
  StopMatcher stop_matcher_;
  std::optional<std::string> stop_string_;
  std::string bytes_, text_;  // reused
};

}  // namespace twostroke

// A prompt from its parts, as real ones are: system text, turns of history, retrieved documents,
// tool definitions, an answer's schema.
#pragma once

#include <string>

#include "base/function_ref.h"
#include "measure/json_value.h"
#include "measure/load_config.h"

namespace twostroke {

struct ShapedPrompt {
  Json messages = Json::array();  // without the question
  Json extra = Json::object();    // `tools`, `response_format`
  std::string question_prefix;    // documents stand before the question, in its message
  int words = 0;                  // filler words in all of it
};

// `words(count, first)` gives filler, `first` being the running number of its first word, so that
// no two parts say the same.
ShapedPrompt shape_prompt(const PromptShape& shape, bool system_role,
                          FunctionRef<std::string(int count, int first)> words);

}  // namespace twostroke

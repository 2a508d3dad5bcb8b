// Prompts from a file: ShareGPT-style JSON, or lines of JSON.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "measure/json_value.h"

namespace twostroke {

struct FilePrompt {
  Json messages;                // chat messages; a prompt text is one user message
  int output_tokens = 0;        // 0: the file does not say
  int answer_words = 0;         // of the answer that the file has, for its length; 0: none
  Json extra = Json::object();  // tools, response_format and the like, to be sent as they are
};

// ShareGPT: [{"conversations": [{"from": "human", "value": …}, {"from": "gpt", "value": …}]}, …]; a
// prompt is the conversation up to its first human message, the answer is what follows.
// JSONL: {"prompt": …} or {"messages": […]} a line, with "output_tokens" or "max_tokens" if wanted.
// Entries without a prompt are left out (ShareGPT has many); none left is an error.
Result<std::vector<FilePrompt>> parse_prompt_file(std::string_view text);

}  // namespace twostroke

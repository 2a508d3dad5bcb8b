#include "server/model_services.h"

namespace twostroke {

// What can be said without knowing the template: it is all one message.
TracedPrompt ModelServices::trace_prompt(const nlohmann::ordered_json* /*chat*/,
                                         std::string_view text,
                                         std::span<const TokenId> tokens) const {
  TracedPrompt traced;
  PromptSpan span;
  span.source = "message[0]";
  span.num_tokens = static_cast<int>(tokens.size());
  for (const TokenId token : tokens) {
    traced.token_starts.push_back(static_cast<uint32_t>(span.num_characters));
    // Bytes that go on with a code point are no characters of their own.
    for (const char byte : token_bytes(token)) {
      span.num_characters += (static_cast<uint8_t>(byte) & 0xC0U) != 0x80U ? 1 : 0;
    }
  }
  if (!text.empty()) {  // and not what the tokenizer added to it
    span.num_characters = 0;
    for (const char byte : text) {
      span.num_characters += (static_cast<uint8_t>(byte) & 0xC0U) != 0x80U ? 1 : 0;
    }
  }
  traced.spans.push_back(std::move(span));
  return traced;
}

}  // namespace twostroke

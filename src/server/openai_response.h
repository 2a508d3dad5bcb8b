// Token events -> OpenAI's reply objects: chat.completion(.chunk) and text_completion. Pure
// formatting, no state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/token_stream.h"
#include "server/json_text.h"
#include "server/model_services.h"
#include "server/reply_assembly.h"

namespace twostroke {

// What all chunks of one reply share.
struct ReplyHead {
  bool is_chat = false;
  std::string id;  // "chatcmpl-..." or "cmpl-..."
  std::string model;
  int64_t created_unix_s = 0;
};

// "stop", "length"; "error" for what OpenAI has no word for. null while running.
OrderedJson finish_reason_json(FinishReason reason);

// `stream`: a chunk's envelope, else a whole reply's; choices are left empty for the caller.
OrderedJson reply_envelope(const ReplyHead& head, bool stream);

// The chunk that opens a chat choice: {"role": "assistant", "content": ""}.
OrderedJson role_choice(int index);
// One chunk's choice: the text one token added.
OrderedJson delta_choice(bool is_chat, int index, std::string_view text, FinishReason finish,
                         OrderedJson logprobs);
// One chunk's choice where the text is read as content, reasoning and calls. `part`: where the
// delta went.
OrderedJson parsed_choice(int index, const ReplyDelta& delta, const ReplyPart& part);
// The chunk after those: no delta, only how it ended.
OrderedJson ended_choice(int index, OrderedJson finish_reason, OrderedJson logprobs);
// A whole reply's choice of that kind.
OrderedJson whole_parsed_choice(int index, const ReplyAssembly& assembly, OrderedJson finish_reason,
                                OrderedJson logprobs);
// A whole reply's choice.
OrderedJson whole_choice(bool is_chat, int index, std::string_view text, FinishReason finish,
                         OrderedJson logprobs);

// logprobs of some tokens of one choice; null when they have none. `text_offset` is where the first
// token's text starts (completions only).
OrderedJson logprobs_json(bool is_chat, std::span<const TokenEvent> events, int64_t text_offset,
                          const ModelServices& model);

// {"total", "cache", "processed", "time_ms"}, as llama-server's prompt_progress.
OrderedJson progress_json(const ProgressEvent& progress);

// "data: {...}\n\n"
void append_sse(std::string& out, const OrderedJson& event);

}  // namespace twostroke

// One generation request under way: the choices it was submitted as, and the reply made from their
// token streams, streamed (StreamedGeneration) or whole (WholeGeneration). Owned by the connection,
// used on the I/O thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/openai_response.h"
#include "server/prompt_archive.h"
#include "server/reply.h"
#include "server/reply_assembly.h"
#include "server/response_timings.h"

namespace twostroke {

// One submitted request.
struct Choice {
  std::shared_ptr<TokenStream> tokens;
  RequestId id = 0;
  int prompt_tokens = 0;
  bool first_of_prompt = true;  // of the n choices of a prompt, the one that counts it
  std::string echo;             // text that comes before the answer
  // Reads the answer's text; null: it is content as it is.
  std::unique_ptr<ReplyParser> parser = nullptr;
  ReplyAssembly assembly = ReplyAssembly();
  // As the reply grows:
  bool opened = false;     // role chunk or echo sent
  bool ended = false;      // the engine is done, and the reply has all of it
  bool delivered = false;  // the socket took all of it, or nobody takes the rest
  int output_tokens = 0;
  int unsent_tokens = 0;  // in the reply since bytes were last handed to the socket
  int64_t first_token_ns = -1;
  int64_t text_bytes = 0;
  RequestSummary summary;  // once ended
  // Of the prompt; the text is held for this reply alone, and only when it will be asked for.
  PromptArchive::Prompt prompt = nullptr;
  std::shared_ptr<const std::string> prompt_text = nullptr;
};

struct GenerationFlags {
  bool include_usage = false, continuous_usage = false, timings_per_token = false, phases = false;
};

// What both kinds of reply share.
struct GenerationBase {
  ServerContext context;  // references: cheap to copy
  const Clock& clock;
  ReplyHead head;
  GenerationFlags flags;
  std::vector<Choice> choices;
  PromptArchive* prompts = nullptr;
};

std::unique_ptr<ReplySource> make_streamed_generation(GenerationBase base);
std::unique_ptr<ReplySource> make_whole_generation(GenerationBase base);

}  // namespace twostroke

// A model ready to answer: the file, its tokenizer and template, the decoder on its threads. Built
// by every command that computes something.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "apps/options.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "gguf/gguf_file.h"
#include "model/decoder.h"
#include "prompt/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace twostroke {

struct LoadedModel {
  std::string path;
  std::unique_ptr<GgufFile> file;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<Tokenizer> tokenizer;
  std::optional<ChatTemplate> chat_template;
  std::string chat_template_source;  // empty: none
  int64_t load_ns = 0;
};

// Says what it is doing, for /health and progress lines.
using LoadProgress = std::function<void(const std::string& what)>;

// What is loaded besides the decoder.
enum class LoadText { kTokenizerAndTemplate, kTokenizer, kNothing };

// `min_blocks`: KV blocks that the command needs at least (bench, perplexity); 0: by options and
// free memory.
Result<LoadedModel> load_model(const ModelOptions& options, LoadText text, int min_blocks,
                               const LoadProgress& progress);

// Threads that --threads 0 means: the cores this process may run on.
int default_num_threads();

}  // namespace twostroke

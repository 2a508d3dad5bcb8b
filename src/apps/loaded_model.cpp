#include "apps/loaded_model.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "apps/model_paths.h"
#include "base/clock.h"
#include "model/kv_storage.h"
#include "model/registry.h"
#include "prompt/builtin_templates.h"

namespace twostroke {
namespace {

// A KV pool larger than this serves few people on a CPU; --kv-memory lifts it.
constexpr int64_t kDefaultKvLimitBytes = int64_t{1} << 30;

int64_t available_memory_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  std::string key, unit;
  int64_t kib = 0;
  while (meminfo >> key >> kib && std::getline(meminfo, unit)) {
    if (key == "MemAvailable:") return kib * 1024;
  }
  return int64_t{sysconf(_SC_AVPHYS_PAGES)} * sysconf(_SC_PAGESIZE);
}

int blocks_of_context(int context) {
  return (context + kKvBlockTokens - 1) / kKvBlockTokens;
}

// By --kv-memory, else a quarter of the free memory up to the limit above.
Result<int> choose_num_blocks(const DecoderSpec& spec, const ModelOptions& options) {
  const int64_t block_bytes = static_cast<int64_t>(KvStorage::bytes_per_block(spec, options.exact));
  int64_t bytes = options.kv_memory_mib << 20;
  if (bytes == 0) bytes = std::min(available_memory_bytes() / 4, kDefaultKvLimitBytes);
  const int64_t blocks = bytes / block_bytes;
  if (blocks < 1) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the KV cache needs at least {} bytes for one block of {} tokens, "
                             "and has {}",
                             block_bytes, kKvBlockTokens, bytes),
                 "kv-memory"};
  }
  return static_cast<int>(std::min<int64_t>(blocks, INT32_MAX / kKvBlockTokens));
}

// --chat-template NAME|FILE, else the file's own; empty when there is none.
Result<std::string> chat_template_source(const GgufFile& file, const std::string& named) {
  if (named.empty()) {
    return std::string(file.find_string("tokenizer.chat_template").value_or(""));
  }
  return load_chat_template(named);
}

Status load_text(LoadedModel& model, const ModelOptions& options, LoadText text) {
  if (text == LoadText::kNothing) return {};
  model.tokenizer = TRY(Tokenizer::load(*model.file));
  if (text == LoadText::kTokenizer) return {};
  model.chat_template_source = TRY(chat_template_source(*model.file, options.chat_template));
  if (model.chat_template_source.empty()) return {};
  const Tokenizer& tokenizer = *model.tokenizer;
  const auto spelled = [&](TokenId token) {
    return token == kNoToken ? std::string() : std::string(tokenizer.token_text(token));
  };
  model.chat_template = TRY(ChatTemplate::create(
      model.chat_template_source, spelled(tokenizer.bos_id()), spelled(tokenizer.eos_id())));
  return {};
}

}  // namespace

int default_num_threads() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  return std::clamp(CPU_COUNT(&allowed), 1, ThreadPool::kMaxThreads);
}

Result<LoadedModel> load_model(const ModelOptions& options, LoadText text, int min_blocks,
                               const LoadProgress& progress) {
  const SteadyClock clock;
  const int64_t start_ns = clock.now_ns();
  LoadedModel model;
  model.path = TRY(resolve_model_path(options.path));
  progress(fmt::format("opening {}", model_id_of(model.path)));
  model.file = std::make_unique<GgufFile>(TRY(GgufFile::open(model.path)));
  const DecoderSpec spec = TRY(read_decoder_spec(*model.file));
  const Isa isa = TRY(isa_from_name(options.isa));
  model.pool =
      std::make_unique<ThreadPool>(options.threads > 0 ? options.threads : default_num_threads());

  DecoderOptions decoder_options;
  decoder_options.max_step_tokens = options.max_step_tokens;
  decoder_options.max_context = options.context;
  decoder_options.exact = options.exact;
  decoder_options.num_blocks = min_blocks > 0 ? min_blocks : TRY(choose_num_blocks(spec, options));
  if (min_blocks == 0 && options.kv_memory_mib == 0) {
    // No more than every running request at full length could use.
    const int64_t most =
        int64_t{options.max_running} *
        blocks_of_context(options.context > 0 ? options.context : spec.context_length);
    decoder_options.num_blocks =
        static_cast<int>(std::min<int64_t>(decoder_options.num_blocks, most));
  }
  progress("reading the tokenizer");
  TRY(load_text(model, options, text));
  progress("packing the weights");
  model.decoder = TRY(Decoder::load(*model.file, decoder_options, kernels_for(isa), *model.pool));
  model.load_ns = clock.now_ns() - start_ns;
  return model;
}

}  // namespace twostroke

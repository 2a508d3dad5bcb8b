#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/command_queue.h"
#include "engine/engine_core.h"
#include "engine/request_checks.h"

namespace twostroke {
namespace {

// Prompt and output of one request must fit the whole pool: then the oldest request can always go
// on.
int64_t pool_tokens(const Model& model) {
  return int64_t{model.num_blocks()} * model.block_size();
}

int model_len(const EngineConfig& config, const Model& model) {
  const int64_t wanted =
      config.max_model_len > 0 ? config.max_model_len : model.max_context_length();
  return static_cast<int>(std::min(wanted, pool_tokens(model)));
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(const EngineConfig& config, Model& model,
                                               const TokenText& text, const Clock& clock) {
  TRY(validate(config));
  if (config.max_model_len > model.max_context_length()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("max_model_len is {}, but the model was made for {} tokens",
                             config.max_model_len, model.max_context_length()),
                 "max_model_len"};
  }
  if (text.vocab_size() > model.vocab_size()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the tokenizer has {} tokens, but the model only {}",
                             text.vocab_size(), model.vocab_size()),
                 "tokenizer"};
  }
  if (model_len(config, model) < 2) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the context has room for {} tokens; at least 2 are needed",
                             model_len(config, model)),
                 "max_model_len"};
  }
  std::unique_ptr<Engine> engine(new Engine(config, model, text, clock));  // NOLINT: private
  engine->config_.target_itl_ns = engine->core_->calibrate(config, model);
  return engine;
}

Engine::Engine(const EngineConfig& config, Model& model, const TokenText& text, const Clock& clock)
    : config_(config),
      max_model_len_(model_len(config, model)),
      vocab_size_(model.vocab_size()),
      block_size_(model.block_size()),
      token_text_(text),
      clock_(clock),
      observer_(config.num_step_records, config.num_request_records, model.block_size()),
      commands_(std::make_unique<CommandQueue>(config.max_live_requests(), clock)),
      core_(std::make_unique<EngineCore>(config, model, text, clock, *commands_, observer_)) {}

Engine::~Engine() {
  stop();
}

Result<RequestId> Engine::submit(RequestInput input, std::shared_ptr<TokenStream> stream) {
  CHECK(stream != nullptr);
  TRY(check_request(input, config_, {.vocab_size = vocab_size_, .max_model_len = max_model_len_}));
  const auto num_prompt_tokens = static_cast<int>(input.prompt.size());
  const int max_tokens = std::min(input.max_tokens, max_model_len_ - num_prompt_tokens);
  const int64_t now = clock_.now_ns();
  const int64_t received_ns = input.received_ns > 0 ? std::min(input.received_ns, now) : now;
  auto request = std::make_unique<ActiveRequest>(
      token_text_,
      OutputLimits{.max_tokens = max_tokens,
                   .min_tokens = input.sampling.min_tokens,
                   .ignore_eos = input.ignore_eos,
                   .has_grammar = input.grammar != nullptr,
                   .stop_token_ids = std::move(input.stop_token_ids),
                   .stop_strings = std::move(input.stop),
                   .spelled_tokens = std::move(input.spelled_tokens)},
      received_ns);
  // All the memory it will ever need, taken here and not on the engine thread.
  const size_t capacity = static_cast<size_t>(num_prompt_tokens) + static_cast<size_t>(max_tokens);
  request->tokens.reserve(capacity);
  request->tokens.assign(input.prompt.begin(), input.prompt.end());
  request->kv.block_table.reserve(capacity / static_cast<size_t>(block_size_) + 1);
  request->num_prompt_tokens = num_prompt_tokens;
  request->cache_salt = std::move(input.cache_salt);
  request->cache_prompt = input.cache_prompt;
  request->sampling = std::move(input.sampling);
  if (input.pooling != Pooling::kNone) request->pooler.emplace(input.pooling, num_prompt_tokens);
  if (input.grammar) {
    request->grammar_compile_ns = input.grammar_compile_ns;
    request->grammar =
        std::make_shared<GrammarState>(input.grammar->start(), static_cast<size_t>(vocab_size_));
  }
  request->stream = std::move(stream);
  request->return_progress = input.return_progress;
  request->events.received_ns = received_ns;
  request->events.tokenized_ns = input.tokenized_ns > 0 ? input.tokenized_ns : -1;
  request->parsed_ns = input.parsed_ns;
  request->templated_ns = input.templated_ns;
  request->model_ready_ns = input.model_ready_ns;
  request->record =
      std::make_shared<RequestRecord>(RequestAbout{.id = 0,
                                                   .reply_id = std::move(input.reply_id),
                                                   .choice = input.choice,
                                                   .kind = input.kind,
                                                   .num_prompt_tokens = num_prompt_tokens,
                                                   .max_tokens = max_tokens,
                                                   .cache_prompt = input.cache_prompt,
                                                   .received_ns = received_ns});
  request->record->count_into(observer_.tallies());
  request->stream->set_record(request->record);
  return commands_->submit(std::move(request), observer_.journal());
}

void Engine::cancel(RequestId id) {
  commands_->cancel(id);
}

void Engine::reset_prefix_cache() {
  const uint64_t ticket = commands_->request_reset();
  if (has_thread_) commands_->wait_for_reset(ticket);
}

EngineStats Engine::stats() const {
  EngineStats stats = core_->stats();
  // What the engine has not taken from the queue yet waits too.
  stats.num_waiting = std::max(stats.num_waiting, commands_->num_live() - stats.num_running);
  return stats;
}

void Engine::start() {
  CHECK(!has_thread_ && !stopped_);
  has_thread_ = true;
  thread_ = std::thread([this] { run(); });
}

void Engine::run() {
  while (true) {
    const auto wait =
        core_->has_work() ? CommandQueue::Wait::kNo : CommandQueue::Wait::kUntilCommand;
    if (core_->turn(wait) == EngineCore::Turn::kQuit) return;
  }
}

bool Engine::step_once() {
  CHECK(!has_thread_);
  return core_->turn(CommandQueue::Wait::kNo) == EngineCore::Turn::kStepped;
}

void Engine::drain(std::chrono::milliseconds timeout) {
  const std::lock_guard lock(drain_mutex_);
  if (stopped_) return;
  stopped_ = true;
  commands_->close();
  if (has_thread_) {
    commands_->wait_until_idle(timeout);
    commands_->cancel_all_and_quit();
    thread_.join();
    return;
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline && step_once()) {
  }
  commands_->cancel_all_and_quit();
  core_->turn(CommandQueue::Wait::kNo);
}

int Engine::max_model_len() const {
  return max_model_len_;
}

void Engine::check_invariants() const {
  core_->check_invariants();
}

}  // namespace twostroke

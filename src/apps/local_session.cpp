#include "apps/local_session.h"

#include <fmt/format.h>

#include <chrono>

namespace twostroke {
namespace {

// How long a wait for the next token may keep a Ctrl-C waiting.
constexpr int kSliceMs = 50;

SamplingParams sampling_of(const GenerationOptions& generation) {
  SamplingParams params;
  params.temperature = generation.temperature;
  params.top_k = generation.top_k;
  params.top_p = generation.top_p;
  params.min_p = generation.min_p;
  params.repetition_penalty = generation.repetition_penalty;
  params.seed = generation.seed;
  return params;
}

double ms(int64_t ns) {
  return double(ns) / 1e6;
}

}  // namespace

Result<std::unique_ptr<LocalSession>> LocalSession::create(const ModelOptions& options,
                                                           LoadText text,
                                                           const LoadProgress& progress) {
  std::unique_ptr<LocalSession> session(new LocalSession());
  session->model_ = TRY(load_model(options, text, 0, progress));
  session->text_ = std::make_unique<TokenizerText>(*session->model_.tokenizer,
                                                   session->model_.decoder->vocab_size());
  EngineConfig config;
  config.max_step_tokens = options.max_step_tokens;
  session->engine_ =
      TRY(Engine::create(config, *session->model_.decoder, *session->text_, session->clock_));
  session->engine_->start();
  return session;
}

LocalSession::~LocalSession() {
  if (engine_ != nullptr) engine_->stop();
}

Result<Answer> LocalSession::answer(std::vector<TokenId> prompt,
                                    const GenerationOptions& generation,
                                    const AnswerListener& listener) {
  const int room = engine_->max_model_len() - static_cast<int>(prompt.size());
  if (room < 1) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("the prompt has {} tokens, and prompt and answer together may have {}",
                             prompt.size(), engine_->max_model_len()),
                 "prompt"};
  }
  RequestInput input;
  input.prompt = std::move(prompt);
  input.sampling = sampling_of(generation);
  input.max_tokens = generation.max_tokens > 0 ? std::min(generation.max_tokens, room) : room;
  input.stop = generation.stop;
  input.return_progress = static_cast<bool>(listener.on_progress);
  input.received_ns = clock_.now_ns();
  input.parsed_ns = input.templated_ns = input.tokenized_ns = input.received_ns;
  auto stream = std::make_shared<TokenStream>();
  const RequestId id = TRY(engine_->submit(std::move(input), stream));

  Answer answer;
  bool cancelled = false;
  for (bool finished = false; !finished;) {
    stream->wait_for(std::chrono::milliseconds(kSliceMs));
    finished = stream->finished();  // before take(): nothing arrives after the end
    if (const auto progress = stream->take_progress(); progress && listener.on_progress) {
      listener.on_progress(*progress);
    }
    for (const TokenEvent& event : stream->take()) {
      answer.text += event.text;
      if (event.token != kNoToken) answer.tokens.push_back(event.token);
      if (listener.on_token) listener.on_token(event);
    }
    if (!cancelled && listener.should_stop && listener.should_stop()) {
      engine_->cancel(id);
      cancelled = true;
    }
  }
  answer.summary = stream->summary();
  if (answer.summary.finish_reason == FinishReason::kError && answer.summary.error) {
    return *answer.summary.error;
  }
  return answer;
}

std::string phases_line(const RequestSummary& summary) {
  const RequestIntervals intervals = intervals_of(summary.events, summary.num_output_tokens);
  std::string line = fmt::format("prefill {} tokens", summary.num_prompt_tokens);
  if (summary.num_cached_tokens > 0) line += fmt::format(" ({} cached)", summary.num_cached_tokens);
  if (summary.events.first_token_ns < 0) return line + " · stopped before the first token";
  line += fmt::format(" in {:.0f} ms · first token {:.0f} ms · decode {} tokens",
                      ms(intervals.prefill_ns), ms(intervals.ttft_ns), summary.num_output_tokens);
  if (intervals.tpot_ns > 0) line += fmt::format(" at {:.0f} tok/s", 1e9 / intervals.tpot_ns);
  return line;
}

}  // namespace twostroke

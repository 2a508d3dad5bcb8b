// A model with an engine in this process, for the commands that answer in the terminal: one request
// at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/loaded_model.h"
#include "apps/tokenizer_text.h"
#include "base/clock.h"
#include "engine/engine.h"

namespace twostroke {

// What an answer reports while it grows; called on the thread that waits.
struct AnswerListener {
  std::function<void(const ProgressEvent&)> on_progress;
  std::function<void(const TokenEvent&)> on_token;
  std::function<bool()> should_stop;  // asked between events; true cancels
};

struct Answer {
  std::string text;
  std::vector<TokenId> tokens;
  RequestSummary summary;
};

class LocalSession {
 public:
  static Result<std::unique_ptr<LocalSession>> create(const ModelOptions& options, LoadText text,
                                                      const LoadProgress& progress);
  ~LocalSession();

  // Runs one request to its end. Errors: the engine refused it, or it failed.
  Result<Answer> answer(std::vector<TokenId> prompt, const GenerationOptions& generation,
                        const AnswerListener& listener);

  const LoadedModel& model() const { return model_; }
  const Clock& clock() const { return clock_; }
  int max_model_len() const { return engine_->max_model_len(); }

 private:
  LocalSession() = default;

  SteadyClock clock_;
  LoadedModel model_;
  std::unique_ptr<TokenizerText> text_;
  std::unique_ptr<Engine> engine_;
};

// Events in which a phase was measured, in words: "prefill 412 tokens (380 cached) in 31 ms · ...".
std::string phases_line(const RequestSummary& summary);

}  // namespace twostroke

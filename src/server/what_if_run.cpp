#include "server/what_if_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "server/error_response.h"

namespace twostroke {
namespace {

double to_ms(double ns) {
  return std::round(ns / 1e3) / 1e3;
}

OrderedJson estimate_json(const Estimate& estimate) {
  return {{"value", to_ms(estimate.ns)},
          {"low", to_ms(estimate.low_ns)},
          {"high", to_ms(estimate.high_ns)}};
}

OrderedJson size_json(const RequestSize& size) {
  return {{"prompt_tokens", size.prompt_tokens},
          {"cached_tokens", size.cached_tokens},
          {"output_tokens", size.output_tokens},
          {"batch", size.batch}};
}

OrderedJson compared_json(const Estimate& predicted, double measured_ns) {
  const double error = measured_ns > 0 ? (predicted.ns - measured_ns) / measured_ns : 0;
  return {{"predicted", to_ms(predicted.ns)},
          {"measured", to_ms(measured_ns)},
          {"error", std::round(1e4 * error) / 1e4},
          {"within_bars", measured_ns >= predicted.low_ns && measured_ns <= predicted.high_ns}};
}

// The prompt that is tried, those that decode beside it, and before both the one that fills the
// cache: one after the other, each begun when what it waits for has arrived.
class Trial final : public ReplySource {
 public:
  Trial(WhatIf question, const HttpRequest& http, const Serving& serving)
      : question_(std::move(question)),
        wake_(http.wake),
        context_(*serving.context),
        clock_(serving.clock),
        random_(0x2C0FFEE) {
    salt_ = fmt::format("what-if {}", clock_.now_ns());
    for (int i = 0; i < question_.changed.prompt_tokens; ++i) prompt_.push_back(random_token());
  }

  bool streams() const override { return false; }
  int status() const override { return status_; }
  void cancel() override {
    for (const Part& part : parts_) context_.engine.cancel(part.id);
  }
  std::string describe() const override { return "what-if"; }

  bool poll(std::string& out) override {
    for (;;) {
      if (failed_) return fail(out);
      switch (stage_) {
        case Stage::kCache:
          if (!parts_.empty() && !parts_.back().tokens->finished()) return false;
          stage_ = Stage::kCompanions;
          start_companions();
          break;
        case Stage::kCompanions:
          if (!all_decode()) return false;
          stage_ = Stage::kSubject;
          start(prompt_, question_.changed.output_tokens, salt_);
          break;
        case Stage::kSubject:
          if (!parts_.back().tokens->finished()) return false;
          return finish(out);
      }
    }
  }

  void begin() {
    if (question_.changed.cached_tokens == 0) return;
    std::vector<TokenId> prefix(prompt_.begin(), prompt_.begin() + question_.changed.cached_tokens);
    prefix.push_back(random_token());
    start(std::move(prefix), 1, salt_);
  }

 private:
  enum class Stage { kCache, kCompanions, kSubject };
  struct Part {
    std::shared_ptr<TokenStream> tokens;
    RequestId id = 0;
    bool decodes = false;  // it has its first token
  };

  TokenId random_token() {
    return std::uniform_int_distribution<TokenId>(0, context_.model.info().vocab_size - 1)(random_);
  }

  void start(std::vector<TokenId> prompt, int max_tokens, std::string salt) {
    if (failed_) return;
    RequestInput input;
    input.max_tokens = max_tokens;
    input.prompt = std::move(prompt);
    input.ignore_eos = true;
    input.sampling.temperature = 0;
    input.cache_salt = std::move(salt);
    input.received_ns = input.parsed_ns = input.templated_ns = input.tokenized_ns = clock_.now_ns();
    Part part;
    part.tokens = std::make_shared<TokenStream>();
    part.tokens->set_notify(wake_);
    const auto id = context_.engine.submit(std::move(input), part.tokens);
    if (!id.ok()) {
      failed_ = id.error();
      return;
    }
    part.id = *id;
    parts_.push_back(std::move(part));
  }

  // They decode all the while: as long as the context lets them.
  void start_companions() {
    first_companion_ = parts_.size();
    const int room = context_.model.info().max_model_len - question_.changed.prompt_tokens;
    for (int i = 1; i < question_.changed.batch; ++i) {
      std::vector<TokenId> prompt;
      for (size_t k = 0; k < prompt_.size(); ++k) prompt.push_back(random_token());
      start(std::move(prompt), room, fmt::format("{} beside {}", salt_, i));
    }
  }

  bool all_decode() {
    bool all = true;
    for (size_t i = first_companion_; i < parts_.size(); ++i) {
      Part& part = parts_[i];
      if (!part.decodes) part.decodes = !part.tokens->take().empty();
      all = all && part.decodes;
    }
    return all;
  }

  bool fail(std::string& out) {
    cancel();
    const Reply reply = error_reply(*failed_);
    status_ = reply.status;
    out += reply.body;
    return true;
  }

  bool finish(std::string& out) {
    const RequestSummary summary = parts_.back().tokens->summary();
    cancel();
    if (summary.finish_reason != FinishReason::kLength) {
      failed_ =
          summary.error.value_or(Error{ErrorCode::kCancelled, "the trial was ended early", ""});
      return fail(out);
    }
    const RequestIntervals trial = intervals_of(summary.events, summary.num_output_tokens);
    // Its intake was not repeated: it is the measured request's.
    const auto ttft_ns = double(trial.ttft_ns + question_.intervals.intake_ns);
    OrderedJson json = what_if_json(question_);
    json["verified"] = {{"cached_tokens", summary.num_cached_tokens},
                        {"ttft_ms", compared_json(question_.prediction.ttft, ttft_ns)},
                        {"tpot_ms", compared_json(question_.prediction.tpot, trial.tpot_ns)}};
    out += dump_json(json);
    return true;
  }

  WhatIf question_;
  std::function<void()> wake_;
  ServerContext context_;
  const Clock& clock_;
  std::mt19937 random_;
  std::string salt_;
  std::vector<TokenId> prompt_;
  std::vector<Part> parts_;  // in the order of their start; the subject is the last one
  size_t first_companion_ = 0;
  Stage stage_ = Stage::kCache;
  std::optional<Error> failed_;
  int status_ = 200;
};

}  // namespace

OrderedJson what_if_json(const WhatIf& question) {
  const double saved = question.as_it_was.total_ns - question.prediction.total_ns;
  return {{"object", "what_if"},
          {"request", question.request},
          {"measured",
           {{"size", size_json(question.measured)},
            {"ttft_ms", to_ms(double(question.intervals.ttft_ns))},
            {"tpot_ms", to_ms(question.intervals.tpot_ns)}}},
          {"predicted",
           {{"size", size_json(question.changed)},
            {"ttft_ms", estimate_json(question.prediction.ttft)},
            {"tpot_ms", estimate_json(question.prediction.tpot)}}},
          {"saved_ms", to_ms(saved)},
          {"known_by",
           fmt::format("estimated by the cost model, anchored on what this request measured; its "
                       "recent error: median {:.1f} %, 95 % within {:.1f} %, {} steps",
                       100 * question.error.median, 100 * question.error.p95,
                       question.error.num_steps)},
          {"assumes", "that nobody else waits or has a prompt read at the same time"}};
}

std::unique_ptr<ReplySource> verify_what_if(WhatIf question, const HttpRequest& http,
                                            const Serving& serving) {
  auto trial = std::make_unique<Trial>(std::move(question), http, serving);
  trial->begin();
  return trial;
}

}  // namespace twostroke

// SSE: one event per token. A chat choice opens with an empty role chunk, which leaves together
// with the first thing there is to say about the choice, so that nobody takes it for the first
// token. finish_reason is on the last token's chunk; timings and phases are on the last chunk that
// has data; then [DONE].
#include <utility>

#include "server/delivery.h"
#include "server/error_response.h"
#include "server/generation_common.h"

namespace twostroke {
namespace {

class StreamedGeneration final : public ReplySource {
 public:
  explicit StreamedGeneration(GenerationBase base) : base_(std::move(base)) {}

  bool streams() const override { return true; }
  int status() const override { return 200; }
  void on_sent(int64_t now_ns, int64_t blocked_from_ns) override {
    if (blocked_from_ns >= 0) blocked_ = {blocked_from_ns, now_ns};
    twostroke::on_sent(base_, {blocked_from_ns, now_ns}, now_ns);
  }
  void on_gone(RequestEnd why, int64_t now_ns) override { twostroke::on_gone(base_, why, now_ns); }
  void cancel() override { cancel_all(base_); }
  std::string describe() const override { return describe_generation(base_.choices); }

  bool poll(std::string& out) override {
    if (done_) return true;
    for (size_t i = 0; i < base_.choices.size() && !failed_; ++i) {
      if (!base_.choices[i].ended) poll_choice(static_cast<int>(i), out);
    }
    if (!failed_ && !all_ended(base_.choices)) return false;
    if (!failed_ && base_.flags.include_usage) append_usage_chunk(out);
    out += "data: [DONE]\n\n";
    done_ = true;
    return true;
  }

 private:
  Choice& choice(int index) { return base_.choices[static_cast<size_t>(index)]; }

  void poll_choice(int index, std::string& out) {
    Choice& it = choice(index);
    const bool finished = it.tokens->finished();  // asked first: then take() has everything
    if (const auto progress = it.tokens->take_progress()) append_progress(index, *progress, out);
    std::vector<TokenEvent> events = it.tokens->take();
    // The last event waits for the summary, which rides on the same chunk.
    if (held_.size() < base_.choices.size()) held_.resize(base_.choices.size());
    std::vector<TokenEvent>& held = held_[static_cast<size_t>(index)];
    held.insert(held.end(), std::make_move_iterator(events.begin()),
                std::make_move_iterator(events.end()));
    size_t used = 0;
    for (; used < held.size(); ++used) {
      const bool last = held[used].finish_reason != FinishReason::kNone;
      if (last && !finished) break;
      if (last) break;
      append_token(index, held[used], out);
    }
    held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(used));
    if (finished) finish_choice(index, held.empty() ? TokenEvent{} : held.front(), out);
  }

  void open(int index, std::string& out) {
    Choice& it = choice(index);
    if (std::exchange(it.opened, true)) return;
    if (base_.head.is_chat) {
      append_chunk(role_choice(index), out);
    } else if (!it.echo.empty()) {
      append_chunk(delta_choice(false, index, it.echo, FinishReason::kNone, nullptr), out);
      it.text_bytes = static_cast<int64_t>(it.echo.size());
    }
  }

  static void count_token(Choice& it, const TokenEvent& event) {
    if (event.token == kNoToken) return;
    it.output_tokens = event.num_output_tokens;
    ++it.unsent_tokens;
  }

  OrderedJson token_choice(int index, const TokenEvent& event) {
    Choice& it = choice(index);
    count_token(it, event);
    if (it.first_token_ns < 0) it.first_token_ns = event.sampled_ns;
    OrderedJson logprobs =
        logprobs_json(base_.head.is_chat, {&event, 1}, it.text_bytes, base_.context.model);
    it.text_bytes += static_cast<int64_t>(event.text.size());
    return delta_choice(base_.head.is_chat, index, event.text, event.finish_reason,
                        std::move(logprobs));
  }

  // Chunks for what a token added, one for each piece; one without a piece where the text is held
  // back, so that every token is seen when it comes. The last one is returned, not yet written.
  OrderedJson parsed_token_choice(int index, const TokenEvent& event, bool last, std::string& out) {
    Choice& it = choice(index);
    count_token(it, event);
    if (it.first_token_ns < 0) it.first_token_ns = event.sampled_ns;
    OrderedJson logprobs = logprobs_json(true, {&event, 1}, 0, base_.context.model);
    const std::vector<ReplyDelta> deltas = read_deltas(it, event.text, last);
    OrderedJson held;
    for (const ReplyDelta& delta : deltas) {
      if (!held.is_null()) append_chunk(std::move(held), out);
      held = parsed_choice(index, delta, it.assembly.add(delta));
      held["logprobs"] = std::exchange(logprobs, nullptr);
    }
    if (!last && !held.is_null()) return held;
    if (!held.is_null()) append_chunk(std::move(held), out);
    OrderedJson reason = last ? finish_reason_of(it, event.finish_reason) : OrderedJson();
    return ended_choice(index, std::move(reason), std::move(logprobs));
  }

  void append_token(int index, const TokenEvent& event, std::string& out) {
    open(index, out);
    if (choice(index).parser) {
      append_timed(index, event, parsed_token_choice(index, event, false, out), out);
    } else {
      append_timed(index, event, token_choice(index, event), out);
    }
  }

  void append_timed(int index, const TokenEvent& event, OrderedJson body, std::string& out) {
    OrderedJson chunk = chunk_of(std::move(body));
    if (base_.flags.timings_per_token) {
      chunk["timings"] = partial_timings_json(choice(index).first_token_ns, event.sampled_ns,
                                              event.num_output_tokens);
    }
    append_sse(out, chunk);
  }

  void finish_choice(int index, TokenEvent last, std::string& out) {
    Choice& it = choice(index);
    if (const auto error = error_of(it.tokens->summary())) {
      close_choice(it, blocked_, base_.clock.now_ns());
      cancel_all(base_);
      out += "data: " + error_body(*error) + "\n\n";
      failed_ = true;
      return;
    }
    open(index, out);
    last.finish_reason = it.tokens->summary().finish_reason;
    OrderedJson body =
        it.parser ? parsed_token_choice(index, last, true, out) : token_choice(index, last);
    close_choice(it, blocked_, base_.clock.now_ns());
    if (base_.flags.phases && base_.choices.size() > 1) body["phases"] = phases_of(base_, it);
    OrderedJson chunk = chunk_of(std::move(body));
    if (all_ended(base_.choices) && !base_.flags.include_usage) add_times(chunk);
    append_sse(out, chunk);
  }

  void append_usage_chunk(std::string& out) {
    OrderedJson chunk = reply_envelope(base_.head, true);
    chunk["usage"] = usage_json(usage_of(base_.choices));
    add_times(chunk);
    append_sse(out, chunk);
  }

  void add_times(OrderedJson& chunk) {
    chunk["timings"] = timings_json(summaries_of(base_.choices));
    if (base_.flags.phases && base_.choices.size() == 1) {
      chunk["phases"] = phases_of(base_, base_.choices.front());
    }
  }

  void append_progress(int index, const ProgressEvent& progress, std::string& out) {
    open(index, out);
    OrderedJson body = {{"index", index}, {"finish_reason", nullptr}};
    if (base_.head.is_chat) {
      body["delta"] = OrderedJson::object();
    } else {
      body["text"] = "";
    }
    OrderedJson chunk = chunk_of(std::move(body));
    chunk["prompt_progress"] = progress_json(progress);
    append_sse(out, chunk);
  }

  OrderedJson chunk_of(OrderedJson choice_body) {
    OrderedJson chunk = reply_envelope(base_.head, true);
    chunk["choices"].push_back(std::move(choice_body));
    if (base_.flags.continuous_usage) {
      chunk["usage"] = usage_json(usage_of(base_.choices));
    } else if (base_.flags.include_usage) {
      chunk["usage"] = nullptr;
    }
    return chunk;
  }

  void append_chunk(OrderedJson choice_body, std::string& out) {
    append_sse(out, chunk_of(std::move(choice_body)));
  }

  GenerationBase base_;
  std::vector<std::vector<TokenEvent>> held_;  // per choice: arrived, not yet written
  Blocked blocked_;                            // the last time that the socket was
  bool failed_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<ReplySource> make_streamed_generation(GenerationBase base) {
  return std::make_unique<StreamedGeneration>(std::move(base));
}

}  // namespace twostroke

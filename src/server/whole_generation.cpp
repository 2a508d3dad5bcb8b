// A reply in one piece, once every choice has ended.
#include <algorithm>
#include <utility>

#include "server/delivery.h"
#include "server/error_response.h"
#include "server/generation_common.h"

namespace twostroke {
namespace {

class WholeGeneration final : public ReplySource {
 public:
  explicit WholeGeneration(GenerationBase base)
      : base_(std::move(base)), events_(base_.choices.size()) {}

  bool streams() const override { return false; }
  int status() const override { return status_; }
  void on_sent(int64_t now_ns, int64_t blocked_from_ns) override {
    twostroke::on_sent(base_, {blocked_from_ns, now_ns}, now_ns);
  }
  void on_gone(RequestEnd why, int64_t now_ns) override { twostroke::on_gone(base_, why, now_ns); }
  void cancel() override { cancel_all(base_); }
  std::string describe() const override { return describe_generation(base_.choices); }

  bool poll(std::string& out) override {
    if (std::ranges::any_of(base_.choices, [](const Choice& it) { return !it.tokens->finished(); }))
      return false;
    for (size_t i = 0; i < base_.choices.size(); ++i) {
      events_[i] = base_.choices[i].tokens->take();
      close_choice(base_.choices[i], {}, base_.clock.now_ns());
      base_.choices[i].unsent_tokens = base_.choices[i].output_tokens;
    }
    for (const Choice& it : base_.choices) {
      if (const auto error = error_of(it.summary)) return fail(*error, out);
    }
    OrderedJson reply = reply_envelope(base_.head, false);
    for (size_t i = 0; i < base_.choices.size(); ++i) reply["choices"].push_back(choice_body(i));
    reply["usage"] = usage_json(usage_of(base_.choices));
    reply["timings"] = timings_json(summaries_of(base_.choices));
    if (base_.flags.phases && base_.choices.size() == 1) {
      reply["phases"] = phases_of(base_, base_.choices.front());
    }
    out += dump_json(reply);
    return true;
  }

 private:
  bool fail(const Error& error, std::string& out) {
    const Reply reply = error_reply(error);
    status_ = reply.status;
    out += reply.body;
    return true;
  }

  OrderedJson choice_body(size_t i) {
    Choice& it = base_.choices[i];
    std::string text = it.echo;
    for (const TokenEvent& event : events_[i]) text += event.text;
    const auto echo_bytes = static_cast<int64_t>(it.echo.size());
    OrderedJson logprobs =
        logprobs_json(base_.head.is_chat, events_[i], echo_bytes, base_.context.model);
    OrderedJson body = it.parser ? parsed_body(i, text, std::move(logprobs))
                                 : whole_choice(base_.head.is_chat, static_cast<int>(i), text,
                                                it.summary.finish_reason, std::move(logprobs));
    if (base_.flags.phases && base_.choices.size() > 1) body["phases"] = phases_of(base_, it);
    return body;
  }

  OrderedJson parsed_body(size_t i, const std::string& text, OrderedJson logprobs) {
    Choice& it = base_.choices[i];
    for (const ReplyDelta& delta : read_deltas(it, text, true)) it.assembly.add(delta);
    return whole_parsed_choice(static_cast<int>(i), it.assembly,
                               finish_reason_of(it, it.summary.finish_reason), std::move(logprobs));
  }

  GenerationBase base_;
  std::vector<std::vector<TokenEvent>> events_;  // per choice
  int status_ = 200;
};

}  // namespace

std::unique_ptr<ReplySource> make_whole_generation(GenerationBase base) {
  return std::make_unique<WholeGeneration>(std::move(base));
}

}  // namespace twostroke

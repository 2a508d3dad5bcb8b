#include "server/dialect.h"

#include <utility>

#include "server/delivery.h"
#include "server/generation_common.h"

namespace twostroke {
namespace {

using Kind = ReplyDelta::Kind;

class DialectGeneration final : public ReplySource {
 public:
  DialectGeneration(GenerationBase base, std::unique_ptr<ReplyDialect> dialect, bool stream)
      : base_(std::move(base)), dialect_(std::move(dialect)), stream_(stream) {}

  bool streams() const override { return stream_; }
  int status() const override { return status_; }
  void on_sent(int64_t now_ns, int64_t blocked_from_ns) override {
    if (blocked_from_ns >= 0) blocked_ = {blocked_from_ns, now_ns};
    twostroke::on_sent(base_, {blocked_from_ns, now_ns}, now_ns);
  }
  void on_gone(RequestEnd why, int64_t now_ns) override { twostroke::on_gone(base_, why, now_ns); }
  void cancel() override { cancel_all(base_); }
  std::string describe() const override { return describe_generation(base_.choices); }

  bool poll(std::string& out) override {
    if (choice().ended) return true;
    const bool finished = choice().tokens->finished();  // asked first: then take() has everything
    std::string events;
    if (stream_ && !std::exchange(begun_, true)) dialect_->begin(choice().prompt_tokens, events);
    for (const TokenEvent& event : choice().tokens->take()) read(event, events);
    if (finished) finish(events);
    if (stream_) out += events;
    if (!stream_ && finished) out += whole_;
    return finished;
  }

 private:
  Choice& choice() { return base_.choices.front(); }

  void read(const TokenEvent& event, std::string& events) {
    if (event.token != kNoToken) {
      choice().output_tokens = event.num_output_tokens;
      ++choice().unsent_tokens;
    }
    if (choice().parser) {
      add(read_deltas(choice(), event.text, false), events);
    } else if (!event.text.empty()) {
      add({{Kind::kContent, -1, event.text}}, events);
    }
  }

  void add(const std::vector<ReplyDelta>& deltas, std::string& events) {
    for (const ReplyDelta& delta : deltas) {
      has_reasoning_ = has_reasoning_ || delta.kind == Kind::kReasoning;
      if (delta.kind != Kind::kReasoning && reasoning_tokens_ < 0) {
        reasoning_tokens_ = has_reasoning_ ? choice().output_tokens - 1 : 0;
      }
      const ReplyPart& part = choice().assembly.add(delta);
      if (stream_) dialect_->add(delta, part, events);
    }
  }

  void finish(std::string& events) {
    if (choice().parser) add(read_deltas(choice(), "", true), events);
    close_choice(choice(), blocked_, base_.clock.now_ns());
    if (const auto error = error_of(choice().summary)) {
      Reply refusal = dialect_->refusal(*error);
      if (!stream_) status_ = refusal.status;
      whole_ = std::move(refusal.body);
      dialect_->fail(*error, events);
      return;
    }
    const int64_t all = has_reasoning_ ? choice().output_tokens : 0;
    const EndedReply ended{choice().assembly, choice().summary, usage_of(base_.choices),
                           reasoning_tokens_ < 0 ? all : reasoning_tokens_};
    if (stream_) {
      dialect_->end(ended, events);
    } else {
      whole_ = dialect_->whole(ended);
    }
  }

  GenerationBase base_;
  std::unique_ptr<ReplyDialect> dialect_;
  Blocked blocked_;  // the last time that the socket was
  bool stream_, begun_ = false, has_reasoning_ = false;
  int64_t reasoning_tokens_ = -1;
  int status_ = 200;
  std::string whole_;
};

}  // namespace

std::unique_ptr<ReplySource> make_dialect_generation(GenerationBase base,
                                                     std::unique_ptr<ReplyDialect> dialect,
                                                     bool stream) {
  CHECK_EQ(base.choices.size(), size_t{1});
  return std::make_unique<DialectGeneration>(std::move(base), std::move(dialect), stream);
}

void append_named_sse(std::string& out, const OrderedJson& event) {
  out += "event: " + event.at("type").get<std::string>() + "\n";
  append_sse(out, event);
}

void set_event_stream_headers(Reply& reply) {
  reply.content_type = "text/event-stream; charset=utf-8";
  reply.headers.emplace_back("Cache-Control", "no-cache");
  reply.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would hold events back
}

}  // namespace twostroke

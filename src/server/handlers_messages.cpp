// /v1/messages and /v1/messages/count_tokens: Anthropic's API.
#include "server/anthropic_request.h"
#include "server/dialect.h"
#include "server/error_response.h"
#include "server/handlers.h"
#include "server/openai_request.h"
#include "server/prepare_generation.h"

namespace twostroke {
namespace {

using json = OrderedJson;
using Kind = ReplyDelta::Kind;

// `input` of a call: the object its arguments are. Text that is none is handed on as it is.
json input_of(const std::string& arguments) {
  json input = json::parse(arguments, nullptr, false);
  if (input.is_object()) return input;
  return {{"unparsed_arguments", arguments}};
}

json usage_of(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

class MessagesDialect final : public ReplyDialect {
 public:
  explicit MessagesDialect(const ReplyHead& head) : model_(head.model), id_(head.id) {}

  void begin(int prompt_tokens, std::string& out) override {
    json message = message_json(json::array(), nullptr, nullptr);
    // How much of it is cached is known when the engine takes the request up: message_delta says
    // it.
    message["usage"] = usage_of({prompt_tokens, 0, 0});
    append_named_sse(out, {{"type", "message_start"}, {"message", std::move(message)}});
    append_named_sse(out, {{"type", "ping"}});
  }

  void add(const ReplyDelta& delta, const ReplyPart& part, std::string& out) override {
    const bool is_new = delta.kind == Kind::kToolCall || index_ < 0 || part.kind != open_kind_;
    if (is_new) {
      close(out);
      open(part, out);
    }
    if (delta.kind == Kind::kToolCall) return;
    json body = json::object();
    if (delta.kind == Kind::kContent) body = {{"type", "text_delta"}, {"text", delta.text}};
    if (delta.kind == Kind::kReasoning)
      body = {{"type", "thinking_delta"}, {"thinking", delta.text}};
    if (delta.kind == Kind::kToolArguments)
      body = {{"type", "input_json_delta"}, {"partial_json", delta.text}};
    append_named_sse(
        out, {{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(body)}});
  }

  void end(const EndedReply& ended, std::string& out) override {
    close(out);
    json delta = {{"stop_reason", stop_reason(ended)}, {"stop_sequence", stop_sequence(ended)}};
    append_named_sse(
        out,
        {{"type", "message_delta"}, {"delta", std::move(delta)}, {"usage", usage_of(ended.usage)}});
    append_named_sse(out, {{"type", "message_stop"}});
  }

  void fail(const Error& error, std::string& out) override {
    out += "event: error\ndata: " + error_reply(error, ErrorStyle::kAnthropic).body + "\n\n";
  }
  Reply refusal(const Error& error) const override {
    return error_reply(error, ErrorStyle::kAnthropic);
  }

  std::string whole(const EndedReply& ended) override {
    json content = json::array();
    for (const ReplyPart& part : ended.assembly.parts()) {
      if (part.kind == Kind::kContent) {
        content.push_back({{"type", "text"}, {"text", part.text}});
      } else if (part.kind == Kind::kReasoning) {
        content.push_back({{"type", "thinking"}, {"thinking", part.text}, {"signature", ""}});
      } else {
        content.push_back({{"type", "tool_use"},
                           {"id", part.call_id},
                           {"name", part.name},
                           {"input", input_of(part.text)}});
      }
    }
    json message = message_json(std::move(content), stop_reason(ended), stop_sequence(ended));
    message["usage"] = usage_of(ended.usage);
    return dump_json(message);
  }

 private:
  json message_json(json content, json stop_reason, json stop_sequence) const {
    return {{"id", id_},
            {"type", "message"},
            {"role", "assistant"},
            {"model", model_},
            {"content", std::move(content)},
            {"stop_reason", std::move(stop_reason)},
            {"stop_sequence", std::move(stop_sequence)}};
  }

  static json stop_reason(const EndedReply& ended) {
    if (ended.summary.finish_reason == FinishReason::kLength) return "max_tokens";
    if (ended.assembly.has_calls()) return "tool_use";
    return ended.summary.stop_string ? "stop_sequence" : "end_turn";
  }
  static json stop_sequence(const EndedReply& ended) {
    return ended.summary.stop_string ? json(*ended.summary.stop_string) : json();
  }

  void open(const ReplyPart& part, std::string& out) {
    json block = json::object();
    if (part.kind == Kind::kContent) block = {{"type", "text"}, {"text", ""}};
    if (part.kind == Kind::kReasoning)
      block = {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}};
    if (part.kind == Kind::kToolCall) {
      block = {{"type", "tool_use"},
               {"id", part.call_id},
               {"name", part.name},
               {"input", json::object()}};
    }
    append_named_sse(out, {{"type", "content_block_start"},
                           {"index", ++index_},
                           {"content_block", std::move(block)}});
    open_kind_ = part.kind;
    is_open_ = true;
  }
  void close(std::string& out) {
    if (!std::exchange(is_open_, false)) return;
    append_named_sse(out, {{"type", "content_block_stop"}, {"index", index_}});
  }

  std::string model_, id_;
  int index_ = -1;  // of the block that was opened last
  Kind open_kind_ = Kind::kContent;
  bool is_open_ = false;
};

Result<GenerationRequest> parse_messages(const HttpRequest& http, const Serving& serving,
                                         bool counting) {
  const JsonLimits limits{serving.options.max_json_depth, serving.options.max_json_members};
  const json body = TRY(parse_json(http.body, limits));
  const json chat = TRY(chat_body_of_messages(body, counting));
  auto request =
      parse_chat_request(chat, serving.options, serving.context->model.info().vocab_size);
  if (!request.ok()) return in_messages_words(request.error());
  return request;
}

Result<Reply> create(const HttpRequest& http, const Serving& serving) {
  GenerationRequest request = TRY(parse_messages(http, serving, false));
  request.id_prefix = "msg_";
  GenerationBase base = TRY(submit_generation(request, http, serving, serving.clock.now_ns()));
  auto dialect = std::make_unique<MessagesDialect>(base.head);
  Reply reply;
  if (request.stream) set_event_stream_headers(reply);
  reply.source = make_dialect_generation(std::move(base), std::move(dialect), request.stream);
  return reply;
}

Result<Reply> count(const HttpRequest& http, const Serving& serving) {
  const GenerationRequest request = TRY(parse_messages(http, serving, true));
  const ModelServices& model = serving.context->model;
  const std::string text = TRY(model.render_chat(request.chat));
  const auto tokens = TRY(model.encode(text, /*add_special=*/false, /*parse_special=*/true));
  Reply reply;
  reply.body = dump_json({{"input_tokens", tokens.size()}});
  return reply;
}

Reply or_error(Result<Reply> reply) {
  return reply.ok() ? std::move(reply).value() : error_reply(reply.error(), ErrorStyle::kAnthropic);
}

}  // namespace

Reply handle_messages(const HttpRequest& request, const Serving& serving) {
  return or_error(create(request, serving));
}

Reply handle_count_tokens(const HttpRequest& request, const Serving& serving) {
  return or_error(count(request, serving));
}

}  // namespace twostroke

#include "server/responses_dialect.h"

#include <utility>

#include "server/error_response.h"

namespace twostroke {
namespace {

using json = OrderedJson;
using Kind = ReplyDelta::Kind;

// The conversation, as a later request will continue it.
json messages_with_answer(json messages, const ReplyAssembly& assembly) {
  json answer = {{"role", "assistant"}, {"content", assembly.content()}};
  json calls = json::array();
  for (const ReplyPart& part : assembly.parts()) {
    if (part.kind != Kind::kToolCall) continue;
    json function = {{"name", part.name}, {"arguments", part.text}};
    calls.push_back(
        {{"id", part.call_id}, {"type", "function"}, {"function", std::move(function)}});
  }
  if (!calls.empty()) answer["tool_calls"] = std::move(calls);
  messages.push_back(std::move(answer));
  return messages;
}

json usage_of(const EndedReply& ended) {
  const Usage& usage = ended.usage;
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", ended.reasoning_tokens}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

class ResponsesDialect final : public ReplyDialect {
 public:
  ResponsesDialect(const ReplyHead& head, ResponsesRequest request,
                   std::shared_ptr<ResponseStore> store)
      : head_(head),
        request_(std::move(request)),
        store_(std::move(store)),
        id_("resp_" + random_id(48)) {}

  void begin(int /*prompt_tokens*/, std::string& out) override {
    for (const char* type : {"response.created", "response.in_progress"}) {
      send({{"type", type}, {"response", response_json("in_progress")}}, out);
    }
  }

  void add(const ReplyDelta& delta, const ReplyPart& part, std::string& out) override {
    const bool is_new =
        delta.kind == Kind::kToolCall || item_id_.empty() || part.kind != open_.kind;
    if (is_new) {
      close(out);
      open(part, out);
      open_ = part;
    } else {
      open_.text += delta.text;
    }
    if (delta.kind == Kind::kToolCall) return;
    json event = event_of(delta_type(part.kind));
    if (part.kind != Kind::kToolCall) event["content_index"] = 0;
    event["delta"] = delta.text;
    if (part.kind == Kind::kContent) event["logprobs"] = json::array();
    send(std::move(event), out);
  }

  void end(const EndedReply& ended, std::string& out) override {
    close(out);
    const json response = finished(ended);
    send({{"type", "response." + response["status"].get<std::string>()}, {"response", response}},
         out);
  }

  void fail(const Error& error, std::string& out) override {
    close(out);
    json response = response_json("failed");
    response["error"] = {{"code", "server_error"}, {"message", error.message}};
    response["output"] = output_;
    send({{"type", "response.failed"}, {"response", std::move(response)}}, out);
  }
  Reply refusal(const Error& error) const override { return error_reply(error); }

  std::string whole(const EndedReply& ended) override {
    for (const ReplyPart& part : ended.assembly.parts()) {
      item_id_ = new_item_id(part.kind);
      output_.push_back(item_json(part, "completed"));
    }
    return dump_json(finished(ended));
  }

 private:
  static std::string new_item_id(Kind kind) {
    if (kind == Kind::kToolCall) return "fc_" + random_id(24);
    return (kind == Kind::kReasoning ? "rs_" : "msg_") + random_id(24);
  }
  static const char* delta_type(Kind kind) {
    if (kind == Kind::kToolCall) return "response.function_call_arguments.delta";
    return kind == Kind::kReasoning ? "response.reasoning_text.delta"
                                    : "response.output_text.delta";
  }
  static json content_part(Kind kind, const std::string& text) {
    if (kind == Kind::kReasoning) return {{"type", "reasoning_text"}, {"text", text}};
    return {{"type", "output_text"},
            {"text", text},
            {"annotations", json::array()},
            {"logprobs", json::array()}};
  }

  void send(json event, std::string& out) {
    event["sequence_number"] = sequence_number_++;
    append_named_sse(out, event);
  }
  // An event about the item that is open.
  json event_of(const char* type) const {
    return {{"type", type}, {"item_id", item_id_}, {"output_index", output_.size()}};
  }

  json response_json(const char* status) const {
    json response = {{"id", id_},
                     {"object", "response"},
                     {"created_at", head_.created_unix_s},
                     {"status", status},
                     {"background", false},
                     {"error", nullptr},
                     {"incomplete_details", nullptr},
                     {"model", head_.model},
                     {"output", json::array()}};
    response.update(request_.echo);
    response["store"] = request_.store;
    response["usage"] = nullptr;
    return response;
  }

  // With what is there so far; before the end an item has no content.
  json item_json(const ReplyPart& part, const char* status) const {
    json item = {{"id", item_id_}};
    const bool is_over = std::string_view(status) != "in_progress";
    if (part.kind == Kind::kToolCall) {
      item["type"] = "function_call";
      item["status"] = status;
      item["call_id"] = part.call_id;
      item["name"] = part.name;
      item["arguments"] = is_over ? part.text : "";
      return item;
    }
    json content = json::array();
    if (is_over) content.push_back(content_part(part.kind, part.text));
    if (part.kind == Kind::kReasoning) {
      item["type"] = "reasoning";
      item["summary"] = json::array();
    } else {
      item["type"] = "message";
      item["role"] = "assistant";
    }
    item["status"] = status;
    item["content"] = std::move(content);
    return item;
  }

  void open(const ReplyPart& part, std::string& out) {
    item_id_ = new_item_id(part.kind);
    send({{"type", "response.output_item.added"},
          {"output_index", output_.size()},
          {"item", item_json(part, "in_progress")}},
         out);
    if (part.kind == Kind::kToolCall) return;
    json event = event_of("response.content_part.added");
    event["content_index"] = 0;
    event["part"] = content_part(part.kind, "");
    send(std::move(event), out);
  }

  void close(std::string& out) {
    if (item_id_.empty()) return;
    if (open_.kind == Kind::kToolCall) {
      json event = event_of("response.function_call_arguments.done");
      event["name"] = open_.name;
      event["arguments"] = open_.text;
      send(std::move(event), out);
    } else {
      json event = event_of(open_.kind == Kind::kReasoning ? "response.reasoning_text.done"
                                                           : "response.output_text.done");
      event["content_index"] = 0;
      event["text"] = open_.text;
      if (open_.kind == Kind::kContent) event["logprobs"] = json::array();
      send(std::move(event), out);
      json part = event_of("response.content_part.done");
      part["content_index"] = 0;
      part["part"] = content_part(open_.kind, open_.text);
      send(std::move(part), out);
    }
    json item = item_json(open_, "completed");
    send({{"type", "response.output_item.done"}, {"output_index", output_.size()}, {"item", item}},
         out);
    output_.push_back(std::move(item));
    item_id_.clear();
  }

  // The response as it ends; kept where the request says so.
  json finished(const EndedReply& ended) {
    const bool cut_off = ended.summary.finish_reason == FinishReason::kLength;
    json response = response_json(cut_off ? "incomplete" : "completed");
    if (cut_off) {
      response["incomplete_details"] = {{"reason", "max_output_tokens"}};
      if (!output_.empty()) output_.back()["status"] = "incomplete";
    }
    response["output"] = output_;
    response["usage"] = usage_of(ended);
    if (request_.store) {
      store_->put(id_, {dump_json(response),
                        messages_with_answer(std::move(request_.messages), ended.assembly)});
    }
    return response;
  }

  ReplyHead head_;
  ResponsesRequest request_;
  std::shared_ptr<ResponseStore> store_;
  std::string id_;
  int64_t sequence_number_ = 0;
  json output_ = json::array();  // items that are over
  ReplyPart open_;               // the one that is open, as far as it has come
  std::string item_id_;          // empty: none is open
};

}  // namespace

std::unique_ptr<ReplyDialect> make_responses_dialect(const ReplyHead& head,
                                                     ResponsesRequest request,
                                                     std::shared_ptr<ResponseStore> store) {
  return std::make_unique<ResponsesDialect>(head, std::move(request), std::move(store));
}

}  // namespace twostroke

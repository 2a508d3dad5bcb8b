#include "server/openai_response.h"

#include <cmath>

namespace twostroke {
namespace {

// JSON has no -inf; OpenAI writes -9999 for "as good as never".
double finite_logprob(float logprob) {
  return std::isfinite(logprob) ? static_cast<double>(logprob) : -9999.0;
}

// A token may be half a code point: `bytes` says what it is, `token` shows it as well as text can.
OrderedJson chat_logprob(const TokenLogprob& entry, const ModelServices& model) {
  const std::string text = model.token_bytes(entry.token);
  OrderedJson bytes = OrderedJson::array();
  for (const char c : text) bytes.push_back(static_cast<int>(static_cast<unsigned char>(c)));
  return {{"token", text}, {"logprob", finite_logprob(entry.logprob)}, {"bytes", std::move(bytes)}};
}

OrderedJson chat_logprobs(std::span<const TokenEvent> events, const ModelServices& model) {
  OrderedJson content = OrderedJson::array();
  for (const TokenEvent& event : events) {
    if (!event.logprob) continue;
    OrderedJson entry = chat_logprob(*event.logprob, model);
    OrderedJson top = OrderedJson::array();
    for (const TokenLogprob& other : event.top_logprobs) top.push_back(chat_logprob(other, model));
    entry["top_logprobs"] = std::move(top);
    content.push_back(std::move(entry));
  }
  if (content.empty()) return nullptr;
  OrderedJson out = OrderedJson::object();
  out["content"] = std::move(content);
  return out;
}

OrderedJson completion_logprobs(std::span<const TokenEvent> events, int64_t text_offset,
                                const ModelServices& model) {
  OrderedJson tokens = OrderedJson::array();
  OrderedJson logprobs = OrderedJson::array();
  OrderedJson tops = OrderedJson::array();
  OrderedJson offsets = OrderedJson::array();
  for (const TokenEvent& event : events) {
    const int64_t offset = text_offset;
    text_offset += static_cast<int64_t>(event.text.size());
    if (!event.logprob) continue;
    tokens.push_back(model.token_bytes(event.logprob->token));
    logprobs.push_back(finite_logprob(event.logprob->logprob));
    OrderedJson top = OrderedJson::object();
    for (const TokenLogprob& other : event.top_logprobs) {
      top[model.token_bytes(other.token)] = finite_logprob(other.logprob);
    }
    tops.push_back(std::move(top));
    offsets.push_back(offset);
  }
  if (tokens.empty()) return nullptr;
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(logprobs)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

}  // namespace

OrderedJson finish_reason_json(FinishReason reason) {
  switch (reason) {
    case FinishReason::kNone:
      return nullptr;
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
    case FinishReason::kError:
      break;
  }
  return "error";
}

OrderedJson reply_envelope(const ReplyHead& head, bool stream) {
  const char* object = !head.is_chat ? "text_completion"
                       : stream      ? "chat.completion.chunk"
                                     : "chat.completion";
  return {{"id", head.id},
          {"object", object},
          {"created", head.created_unix_s},
          {"model", head.model},
          {"choices", OrderedJson::array()}};
}

OrderedJson role_choice(int index) {
  return {{"index", index},
          {"delta", {{"role", "assistant"}, {"content", ""}}},
          {"logprobs", nullptr},
          {"finish_reason", nullptr}};
}

OrderedJson delta_choice(bool is_chat, int index, std::string_view text, FinishReason finish,
                         OrderedJson logprobs) {
  OrderedJson choice = {{"index", index}};
  if (is_chat) {
    choice["delta"] = OrderedJson::object();
    choice["delta"]["content"] = text;
  } else {
    choice["text"] = text;
  }
  choice["logprobs"] = std::move(logprobs);
  choice["finish_reason"] = finish_reason_json(finish);
  return choice;
}

OrderedJson parsed_choice(int index, const ReplyDelta& delta, const ReplyPart& part) {
  OrderedJson body = OrderedJson::object();
  switch (delta.kind) {
    case ReplyDelta::Kind::kContent:
      body["content"] = delta.text;
      break;
    case ReplyDelta::Kind::kReasoning:
      body["reasoning_content"] = delta.text;
      break;
    case ReplyDelta::Kind::kToolCall:
      body["tool_calls"] =
          OrderedJson::array({{{"index", delta.call},
                               {"id", part.call_id},
                               {"type", "function"},
                               {"function", {{"name", part.name}, {"arguments", ""}}}}});
      break;
    case ReplyDelta::Kind::kToolArguments:
      body["tool_calls"] =
          OrderedJson::array({{{"index", delta.call}, {"function", {{"arguments", delta.text}}}}});
      break;
  }
  return {{"index", index},
          {"delta", std::move(body)},
          {"logprobs", nullptr},
          {"finish_reason", nullptr}};
}

OrderedJson ended_choice(int index, OrderedJson finish_reason, OrderedJson logprobs) {
  return {{"index", index},
          {"delta", OrderedJson::object()},
          {"logprobs", std::move(logprobs)},
          {"finish_reason", std::move(finish_reason)}};
}

OrderedJson whole_parsed_choice(int index, const ReplyAssembly& assembly, OrderedJson finish_reason,
                                OrderedJson logprobs) {
  OrderedJson message = {{"role", "assistant"}, {"content", assembly.content()}};
  const std::string reasoning = assembly.reasoning();
  if (!reasoning.empty()) message["reasoning_content"] = reasoning;
  OrderedJson calls = OrderedJson::array();
  for (const ReplyPart& part : assembly.parts()) {
    if (part.kind != ReplyDelta::Kind::kToolCall) continue;
    calls.push_back({{"id", part.call_id},
                     {"type", "function"},
                     {"function", {{"name", part.name}, {"arguments", part.text}}}});
  }
  if (!calls.empty()) {
    if (message["content"] == "") message["content"] = nullptr;
    message["tool_calls"] = std::move(calls);
  }
  return {{"index", index},
          {"message", std::move(message)},
          {"logprobs", std::move(logprobs)},
          {"finish_reason", std::move(finish_reason)}};
}

OrderedJson whole_choice(bool is_chat, int index, std::string_view text, FinishReason finish,
                         OrderedJson logprobs) {
  OrderedJson choice = {{"index", index}};
  if (is_chat) {
    choice["message"] = {{"role", "assistant"}, {"content", text}};
  } else {
    choice["text"] = text;
  }
  choice["logprobs"] = std::move(logprobs);
  choice["finish_reason"] = finish_reason_json(finish);
  return choice;
}

OrderedJson logprobs_json(bool is_chat, std::span<const TokenEvent> events, int64_t text_offset,
                          const ModelServices& model) {
  return is_chat ? chat_logprobs(events, model) : completion_logprobs(events, text_offset, model);
}

OrderedJson progress_json(const ProgressEvent& progress) {
  return {{"total", progress.total},
          {"cache", progress.cached},
          {"processed", progress.processed},
          {"time_ms", std::round(progress.time_ms * 1e3) / 1e3}};
}

void append_sse(std::string& out, const OrderedJson& event) {
  out += "data: ";
  out += dump_json(event);
  out += "\n\n";
}

}  // namespace twostroke

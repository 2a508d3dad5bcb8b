// /tokenize, /detokenize, /apply-template: llama-server's shapes; the names vLLM's clients use are
// understood too.
#include <fmt/format.h>

#include "server/chat_messages.h"
#include "server/error_response.h"
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/request_fields.h"

namespace twostroke {
namespace {

Result<OrderedJson> body_object(const HttpRequest& request, const Serving& serving) {
  const JsonLimits limits{serving.options.max_json_depth, serving.options.max_json_members};
  OrderedJson body = TRY(parse_json(request.body, limits));
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  return body;
}

Reply json_reply(const Result<OrderedJson>& result) {
  if (!result.ok()) return error_reply(result.error());
  Reply reply;
  reply.body = dump_json(*result);
  return reply;
}

// A piece that is not UTF-8 by itself is shown as its bytes, as llama-server does.
OrderedJson piece_json(const std::string& piece) {
  const OrderedJson text = piece;
  if (dump_json(text).find("\xEF\xBF\xBD") == std::string::npos) return text;
  OrderedJson bytes = OrderedJson::array();
  for (const char c : piece) bytes.push_back(static_cast<int>(static_cast<unsigned char>(c)));
  return bytes;
}

Result<OrderedJson> tokenize(const HttpRequest& request, const Serving& serving) {
  const OrderedJson body = TRY(body_object(request, serving));
  const size_t no_limit = serving.options.max_body_bytes;
  auto text = TRY(read_string(body, "content", no_limit));
  const bool vllm_names = !text;
  if (vllm_names) text = TRY(read_string(body, "prompt", no_limit));
  if (!text) return Error{ErrorCode::kInvalidArgument, "content is missing", "content"};
  // vLLM adds special tokens unless told otherwise, llama-server does not.
  const char* add_name = vllm_names ? "add_special_tokens" : "add_special";
  const bool add_special = TRY(read_bool(body, add_name)).value_or(vllm_names);
  const bool parse_special = TRY(read_bool(body, "parse_special")).value_or(true);
  const bool with_pieces = TRY(read_bool(body, "with_pieces")).value_or(false);
  const ModelServices& model = serving.context->model;
  const std::vector<TokenId> ids = TRY(model.encode(*text, add_special, parse_special));
  OrderedJson tokens = OrderedJson::array();
  for (const TokenId id : ids) {
    if (with_pieces) {
      tokens.push_back(OrderedJson{{"id", id}, {"piece", piece_json(model.token_bytes(id))}});
    } else {
      tokens.push_back(id);
    }
  }
  OrderedJson out = OrderedJson::object();
  out["tokens"] = std::move(tokens);
  if (vllm_names) {
    out["count"] = ids.size();
    out["max_model_len"] = model.info().max_model_len;
  }
  return out;
}

Result<OrderedJson> detokenize(const HttpRequest& request, const Serving& serving) {
  const OrderedJson body = TRY(body_object(request, serving));
  const OrderedJson* tokens = find_field(body, "tokens");
  if (tokens == nullptr) return Error{ErrorCode::kInvalidArgument, "tokens is missing", "tokens"};
  const ModelServices& model = serving.context->model;
  const auto ids = TRY(read_token_ids(*tokens, "tokens", model.info().vocab_size));
  const std::string text = model.decode(ids);
  return OrderedJson{{"content", text}, {"prompt", text}};  // llama-server's and vLLM's name
}

Result<OrderedJson> apply_template(const HttpRequest& request, const Serving& serving) {
  const OrderedJson body = TRY(body_object(request, serving));
  const OrderedJson chat = TRY(parse_chat_messages(body));
  OrderedJson out = OrderedJson::object();
  out["prompt"] = TRY(serving.context->model.render_chat(chat));
  return out;
}

}  // namespace

Reply handle_tokenize(const HttpRequest& request, const Serving& serving) {
  return json_reply(tokenize(request, serving));
}

Reply handle_detokenize(const HttpRequest& request, const Serving& serving) {
  return json_reply(detokenize(request, serving));
}

Reply handle_apply_template(const HttpRequest& request, const Serving& serving) {
  return json_reply(apply_template(request, serving));
}

}  // namespace twostroke

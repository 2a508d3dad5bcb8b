// /v1/embeddings: OpenAI's shape. A few inputs at a time are in the engine, so that a long list
// neither fills its queue nor keeps others waiting.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <utility>

#include "server/delivery.h"
#include "server/error_response.h"
#include "server/generation_common.h"
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/request_fields.h"

namespace twostroke {
namespace {

using json = OrderedJson;

constexpr size_t kMaxInEngine = 8;

struct EmbeddingRequest {
  std::vector<std::vector<TokenId>> inputs;
  bool base64 = false;
  size_t dimensions = 0;
  std::string cache_salt;
};

Result<std::vector<TokenId>> read_input(const json& input, const std::string& name,
                                        const ServerContext& context) {
  const ModelInfo& info = context.model.info();
  std::vector<TokenId> tokens;
  if (input.is_string()) {
    tokens = TRY(context.model.encode(input.get_ref<const std::string&>(), /*add_special=*/true,
                                      /*parse_special=*/true));
    if (input == "") tokens.clear();
  } else {
    tokens = TRY(read_token_ids(input, name, info.vocab_size));
  }
  if (tokens.empty())
    return invalid_field(name, fmt::format("{} is empty: it has no tokens", name));
  if (tokens.size() < static_cast<size_t>(info.max_model_len)) return tokens;
  return Error{ErrorCode::kTooLarge,
               fmt::format("{} has {} tokens; this model takes fewer than {}", name, tokens.size(),
                           info.max_model_len),
               name};
}

Status read_inputs(const json& body, const Serving& serving, EmbeddingRequest& request) {
  const json* input = find_field(body, "input");
  if (input == nullptr) return invalid_field("input", "input is missing");
  const bool is_one =
      input->is_string() || (input->is_array() && !input->empty() && input->front().is_number());
  if (is_one) {
    request.inputs.push_back(TRY(read_input(*input, "input", *serving.context)));
    return {};
  }
  if (!input->is_array())
    return wrong_type("input", "a string, an array of strings or of token ids", *input);
  const auto limit = static_cast<size_t>(serving.options.max_embedding_inputs);
  if (input->empty()) return invalid_field("input", "input is empty");
  if (input->size() > limit) {
    return invalid_field(
        "input", fmt::format("input has {} entries; the limit is {}", input->size(), limit));
  }
  for (size_t i = 0; i < input->size(); ++i) {
    const std::string name = fmt::format("input[{}]", i);
    const json& item = (*input)[i];
    if (!item.is_string() && !item.is_array())
      return wrong_type(name, "a string or an array of token ids", item);
    request.inputs.push_back(TRY(read_input(item, name, *serving.context)));
  }
  return {};
}

Result<EmbeddingRequest> parse(const HttpRequest& http, const Serving& serving) {
  const JsonLimits limits{serving.options.max_json_depth, serving.options.max_json_members};
  const json body = TRY(parse_json(http.body, limits));
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  EmbeddingRequest request;
  TRY(read_string(body, "model", 4096));
  TRY(read_string(body, "user", 4096));
  const auto format = TRY(read_string(body, "encoding_format", 64));
  if (format && *format != "float" && *format != "base64") {
    return invalid_field("encoding_format", "encoding_format must be \"float\" or \"base64\"");
  }
  request.base64 = format == "base64";
  const int hidden_size = serving.context->model.info().hidden_size;
  request.dimensions =
      static_cast<size_t>(TRY(read_int(body, "dimensions", 1, hidden_size)).value_or(hidden_size));
  request.cache_salt =
      TRY(read_string(body, "cache_salt", serving.options.max_cache_salt_bytes)).value_or("");
  TRY(read_inputs(body, serving, request));
  return request;
}

// The first `dimensions` numbers, of length 1.
std::vector<float> normalised(std::span<const float> embedding, size_t dimensions) {
  const auto kept = embedding.first(std::min(dimensions, embedding.size()));
  double square = 0;
  for (const float value : kept) square += double{value} * double{value};
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  std::vector<float> out;
  for (const float value : kept) out.push_back(static_cast<float>(double{value} * scale));
  return out;
}

// Little-endian f32, as OpenAI's clients read it.
std::string base64_of(std::span<const float> values) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 255U);
  }
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
  }
  return text;
}

class EmbeddingSource final : public ReplySource {
 public:
  EmbeddingSource(EmbeddingRequest request, const HttpRequest& http, const Serving& serving,
                  int64_t parsed_ns)
      : base_{*serving.context, serving.clock, {}, {}, {}},
        request_(std::move(request)),
        wake_(http.wake),
        reply_id_("embd-" + http.id),
        received_ns_(http.received_ns),
        parsed_ns_(parsed_ns) {}

  // Submits as many as there may be; an error is the reply when nothing runs yet.
  Status submit_more() {
    while (!cancelled_ && base_.choices.size() < request_.inputs.size() &&
           num_running() < kMaxInEngine) {
      RequestInput input;
      input.prompt = std::move(request_.inputs[base_.choices.size()]);
      input.max_tokens = 1;
      input.pooling = base_.context.model.info().pooling;
      input.cache_prompt = false;
      input.cache_salt = request_.cache_salt;
      input.received_ns = received_ns_;
      input.reply_id = reply_id_;
      input.kind = RequestKind::kEmbedding;
      input.choice = static_cast<int>(base_.choices.size());
      input.parsed_ns = input.templated_ns = input.tokenized_ns = parsed_ns_;
      Choice choice;
      choice.tokens = std::make_shared<TokenStream>();
      choice.tokens->set_notify(wake_);
      choice.prompt_tokens = static_cast<int>(input.prompt.size());
      choice.id = TRY(base_.context.engine.submit(std::move(input), choice.tokens));
      base_.choices.push_back(std::move(choice));
    }
    return {};
  }

  bool streams() const override { return false; }
  void on_sent(int64_t now_ns, int64_t blocked_from_ns) override {
    twostroke::on_sent(base_, {blocked_from_ns, now_ns}, now_ns);
  }
  void on_gone(RequestEnd why, int64_t now_ns) override { twostroke::on_gone(base_, why, now_ns); }
  int status() const override { return status_; }
  void cancel() override {
    cancelled_ = true;
    cancel_all(base_);
  }
  std::string describe() const override {
    return fmt::format("embeddings={} prompt={}", base_.choices.size(), num_prompt_tokens());
  }

  bool poll(std::string& out) override {
    for (Choice& choice : base_.choices) {
      if (choice.ended || !choice.tokens->finished()) continue;
      close_choice(choice, {}, base_.clock.now_ns());
      if (const auto error = error_of(choice.summary)) return fail(*error, out);
    }
    if (const Status more = submit_more(); !more.ok()) return fail(more.error(), out);
    if (base_.choices.size() < request_.inputs.size() || !all_ended(base_.choices)) return false;
    write(out);
    return true;
  }

 private:
  size_t num_running() const {
    size_t count = 0;
    for (const Choice& choice : base_.choices) count += choice.ended ? 0 : 1;
    return count;
  }
  int64_t num_prompt_tokens() const {
    int64_t count = 0;
    for (const Choice& choice : base_.choices) count += choice.prompt_tokens;
    return count;
  }

  bool fail(const Error& error, std::string& out) {
    cancel();
    const Reply reply = error_reply(error);
    status_ = reply.status;
    out += reply.body;
    return true;
  }

  void write(std::string& out) const {
    json data = json::array();
    for (const Choice& choice : base_.choices) {
      const std::vector<float> values = normalised(choice.summary.embedding, request_.dimensions);
      data.push_back({{"object", "embedding"},
                      {"index", data.size()},
                      {"embedding", request_.base64 ? json(base64_of(values)) : json(values)}});
    }
    const int64_t tokens = num_prompt_tokens();
    out += dump_json({{"object", "list"},
                      {"data", std::move(data)},
                      {"model", base_.context.model.info().id},
                      {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}});
  }

  GenerationBase base_;
  EmbeddingRequest request_;
  std::function<void()> wake_;
  std::string reply_id_;
  int64_t received_ns_, parsed_ns_;
  bool cancelled_ = false;
  int status_ = 200;
};

Result<Reply> embed(const HttpRequest& http, const Serving& serving) {
  EmbeddingRequest request = TRY(parse(http, serving));
  auto source =
      std::make_unique<EmbeddingSource>(std::move(request), http, serving, serving.clock.now_ns());
  TRY(source->submit_more());
  Reply reply;
  reply.source = std::move(source);
  return reply;
}

}  // namespace

Reply handle_embeddings(const HttpRequest& request, const Serving& serving) {
  Result<Reply> reply = embed(request, serving);
  return reply.ok() ? std::move(reply).value() : error_reply(reply.error());
}

}  // namespace twostroke

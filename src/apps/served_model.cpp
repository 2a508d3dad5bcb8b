#include "apps/served_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/model_paths.h"
#include "prompt/builtin_templates.h"
#include "prompt/text_spans.h"
#include "prompt/tool_prompt.h"

namespace twostroke {

namespace {

// --pooling, else what the file says (llama.cpp's numbers), else the mean.
Pooling pooling_of(const GgufFile& file, const std::string& architecture,
                   const std::string& named) {
  if (named == "mean") return Pooling::kMean;
  if (named == "last") return Pooling::kLast;
  if (named == "cls") return Pooling::kCls;
  switch (file.find_u32(architecture + ".pooling_type").value_or(0)) {
    case 2:
      return Pooling::kCls;
    case 3:
      return Pooling::kLast;
    default:
      return Pooling::kMean;
  }
}

}  // namespace

ServedModel::ServedModel(const LoadedModel& model, const Engine& engine,
                         const ServeOptions& options, int64_t created_unix_s)
    : model_(model), grammars_(*model.tokenizer, model.decoder->vocab_size()) {
  const DecoderSpec& spec = model.decoder->spec();
  const Tokenizer& tokenizer = *model.tokenizer;
  const auto text_of = [&](TokenId token) {
    return token == kNoToken ? std::string() : std::string(tokenizer.token_text(token));
  };
  info_.id = options.alias.empty() ? model_id_of(model.path) : options.alias;
  info_.root = model.path;
  info_.architecture = spec.architecture;
  info_.description = spec.name;
  info_.max_model_len = engine.max_model_len();
  // A model may have rows beyond its vocabulary; clients may name tokens that have a text.
  info_.vocab_size = std::min(spec.vocab_size, tokenizer.vocab_size());
  info_.hidden_size = spec.hidden_size;
  info_.pooling = pooling_of(*model.file, spec.architecture, options.pooling);
  info_.bos_token = tokenizer.bos_id();
  info_.eos_token = tokenizer.eos_id();
  info_.bos_text = text_of(info_.bos_token);
  info_.eos_text = text_of(info_.eos_token);
  info_.chat_template = model.chat_template_source;
  info_.created_unix_s = created_unix_s;
  info_.file_bytes = static_cast<int64_t>(model.file->file_bytes());
  for (const GgufTensor& tensor : model.file->tensors()) {
    info_.num_parameters += tensor.num_elements();
  }
  info_.kv_block_tokens = model.decoder->block_size();
  info_.num_kv_blocks = model.decoder->num_blocks();
  info_.kv_pool_bytes = static_cast<int64_t>(model.decoder->kv_bytes());
  info_.max_running = engine.config().max_running;
  info_.step_budget_tokens = engine.config().max_step_tokens;
  info_.target_itl_ms = static_cast<int>(engine.config().target_itl_ns / 1'000'000);
  info_.num_threads = model.pool->num_threads();
  info_.isa = isa_name(isa_from_name(options.model.isa).value());
}

Result<std::unique_ptr<ServedModel>> ServedModel::create(const LoadedModel& model,
                                                         const Engine& engine,
                                                         const ServeOptions& options,
                                                         int64_t created_unix_s) {
  std::unique_ptr<ServedModel> made(new ServedModel(model, engine, options, created_unix_s));
  TRY(made->choose_reply_format(options));
  return made;
}

Status ServedModel::choose_reply_format(const ServeOptions& options) {
  info_.reply_format = TRY(twostroke::choose_reply_format(
      info_.chat_template, options.tool_call_parser, options.reasoning_parser));
  if (model_.chat_template) {
    template_takes_tools_ = takes_tools([this](const nlohmann::ordered_json& request) {
      return model_.chat_template->render(request);
    });
  }
  for (const std::string_view marker : marker_texts(info_.reply_format)) {
    const auto ids = TRY(encode(marker, /*add_special=*/false, /*parse_special=*/true));
    if (ids.size() == 1) info_.format_tokens.push_back(ids.front());
  }
  std::ranges::sort(info_.format_tokens);
  return {};
}

Result<std::vector<TokenId>> ServedModel::encode(std::string_view text, bool add_special,
                                                 bool parse_special) const {
  return model_.tokenizer->encode(text,
                                  {.add_special = add_special, .parse_special = parse_special});
}

std::string ServedModel::decode(std::span<const TokenId> tokens) const {
  return model_.tokenizer->decode(tokens, {});
}

std::string ServedModel::token_bytes(TokenId token) const {
  return std::string(token < model_.tokenizer->vocab_size() ? model_.tokenizer->token_bytes(token)
                                                            : std::string_view());
}

Result<std::string> ServedModel::render_chat(const nlohmann::ordered_json& request) const {
  if (!model_.chat_template) return no_chat_template_error();
  if (!template_takes_tools_) return model_.chat_template->render(explain_tools(request));
  return model_.chat_template->render(request);
}

TracedPrompt ServedModel::trace_prompt(const nlohmann::ordered_json* chat, std::string_view text,
                                       std::span<const TokenId> tokens) const {
  if (chat == nullptr || !model_.chat_template) {
    return ModelServices::trace_prompt(chat, text, tokens);
  }
  const PrepareRequest prepare = template_takes_tools_ ? PrepareRequest() : explain_tools;
  const std::vector<TextSpan> spans = trace_spans(*model_.chat_template, *chat, text, prepare);
  std::vector<std::string> spellings;
  spellings.reserve(tokens.size());
  for (const TokenId token : tokens) spellings.push_back(token_bytes(token));
  const std::vector<size_t> lengths = align_tokens(text, spellings);
  const std::vector<int> counts = count_tokens(spans, lengths);

  TracedPrompt traced;
  int first_token = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    PromptSpan span;
    span.source = spans[i].source;
    span.role = spans[i].role;
    span.label = spans[i].label;
    span.first_token = first_token;
    span.num_tokens = counts[i];
    span.num_characters = spans[i].num_characters;
    first_token += counts[i];
    traced.spans.push_back(std::move(span));
  }
  size_t at = 0;
  uint32_t characters = 0;
  for (const size_t length : lengths) {
    traced.token_starts.push_back(characters);
    for (const char byte : text.substr(at, length)) {
      characters += (static_cast<uint8_t>(byte) & 0xC0U) != 0x80U ? 1 : 0;
    }
    at += length;
  }
  return traced;
}

}  // namespace twostroke

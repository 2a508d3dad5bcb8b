#include "server/prepare_generation.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <random>
#include <span>
#include <utility>

namespace twostroke {
namespace {

// One prompt, ready to be submitted n times.
struct PreparedPrompt {
  std::vector<TokenId> tokens;
  std::string text;  // that they are; empty when the client sent tokens
  std::string echo;
  int64_t templated_ns = 0, tokenized_ns = 0;
  bool ends_in_reasoning = false;  // the template opened it for the model
};

uint64_t random_u64() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

int64_t unix_now_s() {
  using std::chrono::duration_cast, std::chrono::seconds, std::chrono::system_clock;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

Status check_length(size_t num_tokens, const std::string& field, const ModelInfo& info) {
  if (num_tokens == 0) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is empty: it has no tokens", field),
                 field};
  }
  if (num_tokens < static_cast<size_t>(info.max_model_len)) return {};
  return Error{
      ErrorCode::kTooLarge,
      fmt::format(
          "This model's maximum context length is {} tokens, of which at least one is for the "
          "answer, but your prompt has {} tokens. Shorten the prompt.",
          info.max_model_len, num_tokens),
      field};
}

bool ends_with_tag(std::string_view text, std::string_view tag) {
  const size_t end = text.find_last_not_of(" \n");
  return !tag.empty() && end != text.npos && text.substr(0, end + 1).ends_with(tag);
}

// Null: the answer's text is content as it is.
std::unique_ptr<ReplyParser> parser_for(const GenerationRequest& request,
                                        const PreparedPrompt& prompt, const ModelInfo& info) {
  if (!request.is_chat) return nullptr;
  ReplyParserOptions options;
  const bool forced = request.tools.must_call;
  // A grammar holds from the first token, so there is no reasoning; what one wrote, but for a
  // call that the client asked for, is content.
  if (request.separate_reasoning && !request.grammar && !forced) {
    options.format.reasoning = info.reply_format.reasoning;
    options.starts_in_reasoning = prompt.ends_in_reasoning;
  }
  if (!request.tools.tools.empty() && !request.grammar) {
    options.format.tools = info.reply_format.tools;
    if (forced) options.format.tools = forced_call_format(options.format.tools);
    options.tool_names = request.tools.names();
    options.single_call = !request.tools.parallel;
  }
  const bool reads =
      options.format.tools != ToolCallFormat::kNone || !options.format.reasoning.empty();
  return reads ? std::make_unique<ReplyParser>(std::move(options)) : nullptr;
}

// What the answer must look like; none: anything.
Result<std::optional<GrammarSpec>> constraint_of(const GenerationRequest& request,
                                                 const ModelInfo& info) {
  if (!request.tools.must_call) return request.grammar;
  if (request.grammar) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("tool_choice and {} both constrain the output: give one of them",
                             request.grammar->field),
                 "tool_choice"};
  }
  std::string grammar =
      TRY(forced_call_grammar(request.tools, forced_call_format(info.reply_format.tools)));
  return std::optional(GrammarSpec{GrammarSpec::Kind::kLark, std::move(grammar), "tools"});
}

Result<PreparedPrompt> prepare_chat(const GenerationRequest& request, const Serving& serving) {
  const ModelServices& model = serving.context->model;
  PreparedPrompt prompt;
  prompt.text = TRY(model.render_chat(request.chat));
  const std::string& text = prompt.text;
  prompt.ends_in_reasoning = ends_with_tag(text, model.info().reply_format.reasoning.open);
  prompt.templated_ns = serving.clock.now_ns();
  // The template writes BOS itself where the model wants one.
  prompt.tokens = TRY(model.encode(text, /*add_special=*/false, /*parse_special=*/true));
  prompt.tokenized_ns = serving.clock.now_ns();
  TRY(check_length(prompt.tokens.size(), "messages", model.info()));
  return prompt;
}

Result<PreparedPrompt> prepare_completion(const CompletionPrompt& source, const std::string& field,
                                          bool echo, const Serving& serving) {
  const ModelServices& model = serving.context->model;
  PreparedPrompt prompt;
  prompt.templated_ns = serving.clock.now_ns();
  if (const auto* text = std::get_if<std::string>(&source)) {
    prompt.tokens = TRY(model.encode(*text, /*add_special=*/true, /*parse_special=*/true));
    prompt.text = *text;
    if (echo) prompt.echo = *text;
  } else {
    prompt.tokens = std::get<std::vector<TokenId>>(source);
    if (echo) prompt.echo = model.decode(prompt.tokens);
  }
  prompt.tokenized_ns = serving.clock.now_ns();
  TRY(check_length(prompt.tokens.size(), field, model.info()));
  return prompt;
}

Result<std::vector<PreparedPrompt>> prepare_all(const GenerationRequest& request,
                                                const Serving& serving) {
  std::vector<PreparedPrompt> prompts;
  if (request.is_chat) {
    prompts.push_back(TRY(prepare_chat(request, serving)));
    return prompts;
  }
  for (size_t i = 0; i < request.prompts.size(); ++i) {
    const std::string field = request.prompts.size() == 1 ? "prompt" : fmt::format("prompt[{}]", i);
    prompts.push_back(TRY(prepare_completion(request.prompts[i], field, request.echo, serving)));
  }
  return prompts;
}

RequestInput input_of(const GenerationRequest& request, const PreparedPrompt& prompt,
                      int max_model_len) {
  RequestInput input;
  input.prompt = prompt.tokens;
  input.sampling = request.sampling;
  const int room = max_model_len - static_cast<int>(prompt.tokens.size());
  input.max_tokens = std::min(room, request.max_tokens.value_or(room));
  input.ignore_eos = request.ignore_eos;
  input.stop = request.stop;
  input.stop_token_ids = request.stop_token_ids;
  input.cache_salt = request.cache_salt;
  input.cache_prompt = request.cache_prompt;
  input.return_progress = request.return_progress && request.stream;
  input.templated_ns = prompt.templated_ns;
  input.tokenized_ns = prompt.tokenized_ns;
  return input;
}

GenerationBase base_of(const GenerationRequest& request, const HttpRequest& http,
                       const Serving& serving) {
  ReplyHead head;
  head.is_chat = request.is_chat;
  head.id = (request.is_chat ? "chatcmpl-" : "cmpl-") + http.id;
  if (!request.id_prefix.empty()) head.id = request.id_prefix + http.id;
  head.model = serving.context->model.info().id;
  head.created_unix_s = unix_now_s();
  return GenerationBase{*serving.context,
                        serving.clock,
                        std::move(head),
                        GenerationFlags{request.include_usage, request.continuous_usage,
                                        request.timings_per_token, request.phases},
                        {},
                        serving.prompts};
}

// After the engine has them: no prefill waits for this.
void archive_prompts(const GenerationRequest& request, std::span<const PreparedPrompt> prompts,
                     const Serving& serving, GenerationBase& base) {
  if (serving.prompts == nullptr) return;
  for (size_t i = 0; i < base.choices.size(); ++i) {
    const PreparedPrompt& prompt = prompts[i / static_cast<size_t>(request.num_choices)];
    Choice& choice = base.choices[i];
    auto archived = std::make_shared<ArchivedPrompt>();
    archived->id = choice.id;
    const auto* chat = request.is_chat ? &request.chat : nullptr;
    archived->traced = serving.context->model.trace_prompt(chat, prompt.text, prompt.tokens);
    archived->key = serving.prompts->key_of(request.cache_salt);
    archived->tokens = fingerprint_of(prompt.tokens, archived->key);
    archived->has_salt = !request.cache_salt.empty();
    archived->cache_prompt = request.cache_prompt;
    if (serving.options.keep_prompts) archived->text = prompt.text;
    if (request.phases) choice.prompt_text = std::make_shared<const std::string>(prompt.text);
    choice.prompt = archived;
    serving.prompts->add(std::move(archived));
  }
}

}  // namespace

Result<GenerationBase> submit_generation(const GenerationRequest& request, const HttpRequest& http,
                                         const Serving& serving, int64_t parsed_ns) {
  std::shared_ptr<const Grammar> grammar;
  int64_t compile_ns = 0;
  if (const auto spec = TRY(constraint_of(request, serving.context->model.info()))) {
    // Part of reading the request: booked with its parsing.
    const int64_t start_ns = serving.clock.now_ns();
    grammar = TRY(serving.context->model.compile_grammar(*spec));
    parsed_ns = serving.clock.now_ns();
    compile_ns = parsed_ns - start_ns;
  }
  const std::vector<PreparedPrompt> prompts = TRY(prepare_all(request, serving));
  const ModelInfo& info = serving.context->model.info();
  GenerationBase base = base_of(request, http, serving);
  const uint64_t seed = request.seed ? *request.seed : random_u64();
  for (const PreparedPrompt& prompt : prompts) {
    for (int i = 0; i < request.num_choices; ++i) {
      RequestInput input = input_of(request, prompt, info.max_model_len);
      input.received_ns = http.received_ns;
      input.reply_id = base.head.id;
      input.choice = static_cast<int>(base.choices.size());
      input.kind = request.is_chat ? RequestKind::kChat : RequestKind::kCompletion;
      input.parsed_ns = parsed_ns;
      input.grammar = grammar;
      input.grammar_compile_ns = compile_ns;
      input.sampling.seed = seed + static_cast<uint64_t>(i);
      Choice choice;
      choice.tokens = std::make_shared<TokenStream>();
      choice.tokens->set_notify(http.wake);
      choice.prompt_tokens = static_cast<int>(prompt.tokens.size());
      choice.first_of_prompt = i == 0;
      choice.echo = prompt.echo;
      choice.parser = parser_for(request, prompt, info);
      choice.assembly = ReplyAssembly(info.reply_format.tools);
      if (choice.parser) input.spelled_tokens = info.format_tokens;
      auto id = serving.context->engine.submit(std::move(input), choice.tokens);
      if (!id.ok()) {
        for (const Choice& earlier : base.choices) serving.context->engine.cancel(earlier.id);
        return id.error();
      }
      choice.id = *id;
      base.choices.push_back(std::move(choice));
    }
  }
  archive_prompts(request, prompts, serving, base);
  return base;
}

}  // namespace twostroke

// `twostroke run`: one prompt in, text out, for people and scripts.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/local_session.h"
#include "apps/model_paths.h"
#include "apps/options.h"
#include "apps/report.h"
#include "apps/seed.h"
#include "apps/text_input.h"
#include "prompt/builtin_templates.h"
#include "server/response_timings.h"

namespace twostroke {
namespace {

Result<std::vector<TokenId>> prompt_tokens(const LocalSession& session, const RunOptions& options,
                                           const std::string& text) {
  const LoadedModel& model = session.model();
  if (!options.chat) {
    return model.tokenizer->encode(text, {.add_special = true, .parse_special = false});
  }
  if (!model.chat_template) return no_chat_template_error();
  const nlohmann::ordered_json request = {{"messages", {{{"role", "user"}, {"content", text}}}}};
  return model.tokenizer->encode(TRY(model.chat_template->render(request)),
                                 {.add_special = false, .parse_special = true});
}

void print_json(const LocalSession& session, const Answer& answer) {
  const RequestSummary& summary = answer.summary;
  nlohmann::ordered_json out;
  out["model"] = model_id_of(session.model().path);
  out["text"] = answer.text;
  out["token_ids"] = answer.tokens;
  out["finish_reason"] = finish_reason_name(summary.finish_reason);
  out["usage"] = {{"prompt_tokens", summary.num_prompt_tokens},
                  {"completion_tokens", summary.num_output_tokens},
                  {"total_tokens", summary.num_prompt_tokens + summary.num_output_tokens},
                  {"prompt_tokens_details", {{"cached_tokens", summary.num_cached_tokens}}}};
  out["timings"] = timings_json({&summary, 1});
  fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Status run(const RunOptions& options) {
  const std::string text = options.prompt_given ? options.prompt : TRY(read_stdin());
  GenerationOptions generation = options.generation;
  if (!generation.seed_given) generation.seed = fresh_seed();
  const auto session = TRY(LocalSession::create(
      options.model, options.chat ? LoadText::kTokenizerAndTemplate : LoadText::kTokenizer,
      [](const std::string&) {}));
  std::vector<TokenId> prompt = TRY(prompt_tokens(*session, options, text));
  if (prompt.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the prompt is empty: nothing to continue", "prompt"};
  }
  AnswerListener listener;
  if (!options.json) {
    listener.on_token = [](const TokenEvent& event) {
      fmt::print("{}", event.text);
      std::fflush(stdout);
    };
  }
  const Answer answer = TRY(session->answer(std::move(prompt), generation, listener));
  if (options.json) {
    print_json(*session, answer);
    return {};
  }
  fmt::print("\n");
  if (stderr_is_terminal()) fmt::print(stderr, "{}\n", phases_line(answer.summary));
  return {};
}

}  // namespace

int run_once(const RunOptions& options) {
  const Status status = run(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke

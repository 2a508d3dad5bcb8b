#include "apps/cli_explain_server.h"

#include "apps/cli_runs.h"

namespace twostroke {

void add_explain_server_flags(CLI::App* command, ExplainServerOptions& options) {
  command->add_option("--model", options.model, "URL: model to ask for; default: its first");
  command->add_option("--api-key", options.api_key, "URL: sent as a bearer token");
  command
      ->add_option_function<std::string>(
          "--endpoint",
          [&options](const std::string& name) {
            options.endpoint =
                name == "completions" ? ApiEndpoint::kCompletions : ApiEndpoint::kChat;
          },
          "URL: chat or completions")
      ->check(CLI::IsMember({"chat", "completions"}));
  command->add_option("--rounds", options.rounds, "URL: times that every probe is made")
      ->check(CLI::Range(1, 100));
  command
      ->add_option("--max-prompt-tokens", options.max_prompt_tokens,
                   "URL: longest prompt of the sweep")
      ->check(CLI::Range(32, 1 << 20));
  command
      ->add_option("--max-output-tokens", options.max_output_tokens,
                   "URL: longest answer of the sweep")
      ->check(CLI::Range(8, 1 << 16));
  command
      ->add_option("--max-concurrency", options.max_concurrency,
                   "URL: requests of the largest burst")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option_function<uint64_t>(
          "--seed",
          [&options](uint64_t seed) {
            options.seed = seed;
            options.seed_given = true;
          },
          "URL: of the prompts; left out: a fresh one")
      ->type_name("UINT");
  command->add_option("--label", options.label, "URL: name in the history");
  add_runs_db(command, options.db);
}

}  // namespace twostroke

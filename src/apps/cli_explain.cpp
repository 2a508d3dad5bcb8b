#include "apps/cli_explain.h"

#include "apps/cli_explain_server.h"

namespace twostroke {

CLI::App* add_explain(CLI::App& app, ExplainOptions& explain) {
  CLI::App* command =
      app.add_subcommand("explain", "why a request or a server is slow, and what would help");
  command
      ->add_option(
          "subject", explain.subject,
          "id of a request of the server at --url, a file with a reply that has phases, or "
          "the URL of any OpenAI-compatible server")
      ->required();
  command->add_option("--url", explain.url, "the server that ran it");
  command
      ->add_option("--target-ttft-ms", explain.targets.ttft_ms,
                   "a first token within so many ms is not slow")
      ->check(CLI::Range(0.0, 1e9));
  command
      ->add_option("--target-tpot-ms", explain.targets.tpot_ms,
                   "a token every so many ms is not slow")
      ->check(CLI::Range(0.0, 1e9));
  command->add_flag("--json", explain.json, "print as JSON");
  add_explain_server_flags(command, explain.server);
  return command;
}

CLI::App* add_what_if(CLI::App& app, WhatIfOptions& what_if) {
  CLI::App* command = app.add_subcommand(
      "what-if", "what a request would have taken with another prompt, cache, batch or answer");
  command->add_option("request", what_if.request, "id of a request of the server at --url")
      ->required();
  command->add_option("--url", what_if.url, "the server that ran it");
  command->add_option(
      "--drop", what_if.drop,
      "leave a part of the prompt out: message[2], tools, schema, system, document[0], "
      "a label, history, documents; may be repeated");
  command->add_option("--prompt-tokens", what_if.prompt_tokens, "a prompt of so many tokens")
      ->check(CLI::Range(1, 1 << 24));
  command
      ->add_option("--cache", what_if.cache, "same: as it was; none; warm: all that is unchanged")
      ->check(CLI::IsMember({"same", "none", "warm"}));
  command->add_option("--cached-tokens", what_if.cached_tokens, "so many of them from the cache")
      ->check(CLI::Range(0, 1 << 24));
  command->add_option("--output-tokens", what_if.output_tokens, "an answer of so many tokens")
      ->check(CLI::Range(1, 1 << 24));
  command->add_option("--batch", what_if.batch, "so many requests decode together")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--verify", what_if.verify,
                    "run a request of that size and print what it took beside the prediction");
  command->add_flag("--json", what_if.json, "print as JSON");
  return command;
}

}  // namespace twostroke

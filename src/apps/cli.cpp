// The command line: names, help and checks of every flag. The only place that knows argv.
#include <CLI/CLI.hpp>
#include <string>

#include "apps/cli_compare.h"
#include "apps/cli_explain.h"
#include "apps/cli_load.h"
#include "apps/cli_runs.h"
#include "apps/options.h"

namespace twostroke {
namespace {

constexpr const char* kVersion = "twostroke " TWOSTROKE_VERSION;
constexpr const char* kDescription =
    "Runs GGUF language models on CPUs and says what each stroke took: prefill reads the prompt,\n"
    "decode writes the answer.";

void add_model(CLI::App* command, ModelOptions& model) {
  command->add_option("model", model.path,
                      "GGUF file; left out: $TWOSTROKE_MODEL, else the default model");
  command->add_option("--threads,-t", model.threads, "compute threads; 0: one per core")
      ->check(CLI::Range(0, 512));
  command->add_option("--isa", model.isa, "kernels to use: auto, scalar, avx2, avx512_vnni");
  command->add_flag("--exact", model.exact,
                    "f32 activations and KV cache, dequantised weights: for checking, slow");
}

void add_context(CLI::App* command, ModelOptions& model) {
  command
      ->add_option("--context,-c", model.context,
                   "longest prompt and answer together, in tokens; 0: the model's own")
      ->check(CLI::Range(0, 1 << 24));
  command
      ->add_option("--kv-memory", model.kv_memory_mib,
                   "memory for the KV cache in MiB; 0: chosen from free memory")
      ->check(CLI::Range(0, 1 << 24));
  command->add_option("--chat-template", model.chat_template,
                      "chat template to use instead of the file's: a built-in name or a file");
  command
      ->add_option("--max-step-tokens", model.max_step_tokens,
                   "tokens that one step computes at most")
      ->check(CLI::Range(1, 8192));
}

void add_generation(CLI::App* command, GenerationOptions& generation) {
  command->add_option("--temperature", generation.temperature, "0: always the likeliest token")
      ->check(CLI::Range(0.0, 100.0));
  command->add_option("--top-k", generation.top_k, "only the k likeliest tokens; 0: off")
      ->check(CLI::Range(0, 1 << 24));
  command->add_option("--top-p", generation.top_p, "only the likeliest tokens that sum to p")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--min-p", generation.min_p, "only tokens at least p times the likeliest")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--repetition-penalty", generation.repetition_penalty, "1: off")
      ->check(CLI::Range(0.01, 100.0));
  command
      ->add_option("--max-tokens,-n", generation.max_tokens,
                   "longest answer in tokens; 0: what the context has room for")
      ->check(CLI::Range(0, 1 << 24));
  command
      ->add_option_function<uint64_t>(
          "--seed",
          [&generation](uint64_t seed) {
            generation.seed = seed;
            generation.seed_given = true;
          },
          "same seed, same text")
      ->type_name("UINT");
  command->add_option("--stop", generation.stop, "end the answer at this text; may be repeated");
}

CLI::App* add_serve(CLI::App& app, ServeOptions& serve) {
  CLI::App* command = app.add_subcommand("serve", "OpenAI-compatible server");
  add_model(command, serve.model);
  add_context(command, serve.model);
  command->add_option("--host", serve.host, "address to listen on");
  command->add_option("--port", serve.port, "0: a free one, printed at start")
      ->check(CLI::Range(0, 65535));
  command->add_option("--alias", serve.alias, "model name shown to clients");
  command->add_option("--max-running", serve.model.max_running, "requests computed at once")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--max-queued-requests", serve.max_queued_requests,
                   "requests that may wait; one more is refused")
      ->check(CLI::Range(0, 1 << 20));
  command
      ->add_option("--target-itl-ms", serve.target_itl_ms,
                   "longest wait between two tokens that steps are cut for; 0: measured at start")
      ->check(CLI::Range(0, 60'000));
  command
      ->add_option("--pooling", serve.pooling,
                   "which of a prompt's hidden states make its embedding; auto: what the file says")
      ->check(CLI::IsMember({"auto", "mean", "last", "cls"}))
      ->capture_default_str();
  command
      ->add_option("--tool-call-parser", serve.tool_call_parser,
                   "how calls of tools are written in answers: a format's name, none, or auto: as "
                   "the chat template writes them")
      ->capture_default_str();
  command
      ->add_option("--reasoning-parser", serve.reasoning_parser,
                   "how reasoning is set off in answers: think, mistral, none, or auto")
      ->capture_default_str();
  command->add_option("--max-connections", serve.max_connections, "open connections")
      ->check(CLI::Range(1, 1 << 16));
  command->add_flag("--keep-prompts", serve.keep_prompts,
                    "remember the text of prompts, so that explain can quote earlier ones");
  command
      ->add_option("--drain-timeout", serve.drain_timeout_s,
                   "seconds that requests get to finish after SIGTERM")
      ->check(CLI::Range(0, 3600));
  return command;
}

CLI::App* add_chat(CLI::App& app, ChatOptions& chat) {
  CLI::App* command = app.add_subcommand("chat", "chat in the terminal");
  add_model(command, chat.model);
  add_context(command, chat.model);
  add_generation(command, chat.generation);
  command->add_option("--system", chat.system, "system message");
  return command;
}

CLI::App* add_run(CLI::App& app, RunOptions& run) {
  CLI::App* command = app.add_subcommand("run", "one prompt in, text out");
  add_model(command, run.model);
  add_context(command, run.model);
  add_generation(command, run.generation);
  command->add_option_function<std::string>(
      "--prompt,-p",
      [&run](const std::string& prompt) {
        run.prompt = prompt;
        run.prompt_given = true;
      },
      "the prompt; left out: read from stdin");
  command->add_flag("--chat", run.chat, "send the prompt through the chat template");
  command->add_flag("--json", run.json, "print text, token_ids, usage and timings as JSON");
  return command;
}

CLI::App* add_bench(CLI::App& app, BenchOptions& bench) {
  CLI::App* command = app.add_subcommand("bench", "measure both phases, each alone");
  add_model(command, bench.model);
  command->add_option("--prompt,-p", bench.prompts, "prefill tests: tokens; 0: none")
      ->delimiter(',');
  command->add_option("--generate,-n", bench.generates, "decode tests: tokens; 0: none")
      ->delimiter(',');
  command->add_option("--batch,-b", bench.batches, "sequences that decode together")
      ->delimiter(',')
      ->check(CLI::Range(1, 512));
  command->add_option("--depth,-d", bench.depths, "tokens in the cache before a test starts")
      ->delimiter(',')
      ->check(CLI::Range(0, 1 << 20));
  command->add_option("--repetitions,-r", bench.repetitions, "of each test")
      ->check(CLI::Range(1, 1000));
  command->add_flag("--json", bench.json, "print rows as JSON");
  return command;
}

CLI::App* add_perplexity(CLI::App& app, PerplexityOptionsCli& perplexity) {
  CLI::App* command = app.add_subcommand(
      "perplexity", "how well the model predicts a text, by llama.cpp's formula");
  command->add_option("model", perplexity.model.path, "GGUF file")->required();
  command->add_option("text", perplexity.text_path, "text file")->required();
  command->add_option("--threads,-t", perplexity.model.threads, "compute threads; 0: one per core")
      ->check(CLI::Range(0, 512));
  command->add_option("--isa", perplexity.model.isa,
                      "kernels to use: auto, scalar, avx2, avx512_vnni");
  command->add_flag("--exact", perplexity.model.exact,
                    "f32 activations and KV cache, dequantised weights: for checking, slow");
  command->add_option("--context,-c", perplexity.context, "tokens per chunk")
      ->check(CLI::Range(2, 8192));
  command->add_option("--chunks", perplexity.chunks, "score only so many chunks; 0: all")
      ->check(CLI::Range(0, 1 << 24));
  command->add_flag("--against-exact", perplexity.against_exact,
                    "also run the exact model and report the distance from it");
  command->add_flag("--json", perplexity.json, "print the result as JSON");
  return command;
}

CLI::App* add_inspect(CLI::App& app, InspectOptions& inspect) {
  CLI::App* command = app.add_subcommand("inspect", "what is in a GGUF file");
  command->add_option("model", inspect.model.path,
                      "GGUF file; left out: $TWOSTROKE_MODEL, else the default model");
  command->add_flag("--tensors", inspect.tensors, "list every tensor");
  command->add_flag("--json", inspect.json, "print as JSON");
  return command;
}

}  // namespace

int run_cli(int argc, char** argv) {
  CLI::App app(kDescription, "twostroke");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  ServeOptions serve;
  ChatOptions chat;
  RunOptions run;
  BenchOptions bench;
  PerplexityOptionsCli perplexity;
  InspectOptions inspect;
  LoadOptions load;
  RunsOptions runs;
  CompareOptions compare;
  ExplainOptions explain;
  WhatIfOptions what_if;
  const CLI::App* serve_command = add_serve(app, serve);
  const CLI::App* chat_command = add_chat(app, chat);
  const CLI::App* run_command = add_run(app, run);
  const CLI::App* bench_command = add_bench(app, bench);
  const CLI::App* perplexity_command = add_perplexity(app, perplexity);
  const CLI::App* inspect_command = add_inspect(app, inspect);
  const CLI::App* compare_command = add_compare(app, compare);
  const CLI::App* explain_command = add_explain(app, explain);
  const CLI::App* what_if_command = add_what_if(app, what_if);
  const CLI::App* load_command = add_load(app, load);
  const CLI::App* runs_command = add_runs(app, runs);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (serve_command->parsed()) return run_serve(serve);
  if (chat_command->parsed()) return run_chat(chat);
  if (run_command->parsed()) return run_once(run);
  if (bench_command->parsed()) return run_bench(bench);
  if (perplexity_command->parsed()) return run_perplexity(perplexity);
  if (inspect_command->parsed()) return run_inspect(inspect);
  if (compare_command->parsed()) return run_compare(compare);
  if (explain_command->parsed()) return run_explain(explain);
  if (what_if_command->parsed()) return run_what_if(what_if);
  if (load_command->parsed()) return run_load_command(load);
  if (runs_command->parsed()) return run_runs(runs);
  return 2;
}

}  // namespace twostroke

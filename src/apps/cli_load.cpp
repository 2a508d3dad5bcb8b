#include "apps/cli_load.h"

#include "apps/cli_runs.h"

namespace twostroke {
namespace {

void add_target(CLI::App* command, LoadOptions& load) {
  command->add_option("url", load.url, "server, as in http://127.0.0.1:8080")->required();
  command->add_option("--model", load.model, "model to ask for; default: the server's first");
  command->add_option("--endpoint", load.endpoint, "chat or completions")
      ->check(CLI::IsMember({"chat", "completions"}));
  command->add_option("--api-key", load.api_key, "bearer token; default: $OPENAI_API_KEY");
  command->add_option("--timeout", load.timeout_s, "seconds for one request, all in all")
      ->check(CLI::Range(0.001, 86'400.0));
  command
      ->add_option("--idle-timeout", load.idle_timeout_s,
                   "seconds without a byte after which a request has failed")
      ->check(CLI::Range(0.001, 86'400.0));
  command->add_option("--retries", load.retries, "of a request that got 429 or 503")
      ->check(CLI::Range(0, 100));
}

void add_arrivals(CLI::App* command, LoadOptions& load) {
  command->add_option("--requests,-n", load.requests, "how many; default 100")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--duration", load.duration_s, "no request starts after so many seconds")
      ->check(CLI::Range(0.0, 2'592'000.0));
  command->add_option("--warmup", load.warmup, "requests before the measured ones, not counted")
      ->check(CLI::Range(0, 10'000));
  command
      ->add_option_function<uint64_t>(
          "--seed",
          [&load](uint64_t seed) {
            load.seed = seed;
            load.seed_given = true;
          },
          "same seed, same prompts at the same times")
      ->type_name("UINT");
  command
      ->add_option("--concurrency,-c", load.concurrency,
                   "closed loop: users who each wait for their answer")
      ->check(CLI::Range(1, 20'000));
  command->add_option("--rate,-r", load.rate,
                      "open loop: requests a second, whatever the server does; inf: all at once");
  command->add_option("--burstiness", load.burstiness,
                      "shape of the gaps: 1 Poisson, less is burstier, inf is constant");
  command
      ->add_option("--max-in-flight", load.max_in_flight,
                   "open loop: what is due waits in the client past so many; 0: no limit")
      ->check(CLI::Range(0, 20'000));
  command->add_option("--ramp", load.ramp_s, "closed loop: the users come over so many seconds")
      ->check(CLI::Range(0.0, 86'400.0));
  command
      ->add_option("--ramp-start", load.ramp_start_rate,
                   "open loop: the rate rises from this one to --rate")
      ->check(CLI::Range(0.0, 1e9));
  command->add_option("--ramp-shape", load.ramp_shape, "linear or exponential")
      ->check(CLI::IsMember({"linear", "exponential"}));
  command->add_option("--think-time", load.think_time_s, "closed loop: seconds between questions")
      ->check(CLI::Range(0.0, 86'400.0));
  command->add_option("--trace", load.trace,
                      "replay lengths and times: Mooncake JSONL, Azure or BurstGPT CSV");
  command->add_option("--time-scale", load.time_scale, "of the trace: 2 is twice as slow")
      ->check(CLI::Range(1e-6, 1e6));
}

void add_workload(CLI::App* command, LoadOptions& load) {
  command->add_option("--prompt-tokens,-p", load.prompt_tokens, "length of synthetic prompts")
      ->check(CLI::Range(1, 1 << 22));
  command->add_option("--output-tokens,-o", load.output_tokens, "length of answers")
      ->check(CLI::Range(1, 1 << 22));
  command
      ->add_option("--range-ratio", load.range_ratio,
                   "lengths vary by this share, up and down, uniformly")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--dataset", load.dataset,
                      "prompts from a file: ShareGPT JSON, or lines with prompt or messages");
  command->add_option("--shape", load.shape,
                      "prompts by their parts: system=200,history=4x120,documents=3x400,"
                      "tools=5x60,schema=150,question=40");
  command->add_option("--cache", load.cache, "cold (no prompt begins like another), shared, as-is")
      ->check(CLI::IsMember({"cold", "shared", "as-is"}));
  command
      ->add_option("--shared-prefix", load.shared_prefix,
                   "tokens that all prompts begin with; makes --cache shared")
      ->check(CLI::Range(0, 1 << 22));
  command->add_flag("--allow-eos", load.allow_eos, "answers may end before --output-tokens");
  command->add_flag("--plain-openai", load.plain_openai,
                    "send nothing that OpenAI's own API does not know");
  command->add_option("--extra-body", load.extra_body,
                      "JSON object merged into every request; null removes a member");
}

void add_reports(CLI::App* command, LoadOptions& load) {
  command->add_option("--goodput", load.goodput,
                      "limits in ms that a good request keeps: ttft:500 tpot:50 itl:200 e2el:3000");
  command->add_option("--percentiles", load.percentiles, "to report")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 100.0));
  command->add_flag("--json", load.json, "print the result as JSON instead of the table");
  command->add_flag("--no-progress", load.no_progress, "do not show the run as it goes");
  command->add_option("--label", load.label, "a name for this run, kept with it");
  command->add_option("--save-result", load.save_result,
                      "JSON file with the keys of vllm bench serve, and every request");
  command->add_flag("--save-detailed", load.save_detailed, "with vLLM's lists per request too");
  command->add_option("--save-requests", load.save_requests, "a JSON line per request");
  command->add_option("--save-csv", load.save_csv, "a CSV row per request");
  add_runs_db(command, load.db);
}

}  // namespace

CLI::App* add_load(CLI::App& app, LoadOptions& load) {
  CLI::App* command =
      app.add_subcommand("load", "measure both phases of any OpenAI-compatible server under load");
  add_target(command, load);
  add_arrivals(command, load);
  add_workload(command, load);
  add_reports(command, load);
  return command;
}

}  // namespace twostroke

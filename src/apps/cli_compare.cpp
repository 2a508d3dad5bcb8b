#include "apps/cli_compare.h"

#include "apps/cli_runs.h"

namespace twostroke {
namespace {

void add_load(CLI::App* command, LoadConfig& load) {
  command->add_option("--model", load.model, "model to ask for; default: the server's first");
  command->add_option("--api-key", load.http.api_key, "sent as a bearer token");
  command->add_option("--requests", load.num_requests, "of one run")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--warmup", load.warmup_requests, "before each run, not counted")
      ->check(CLI::Range(0, 10'000));
  command->add_option("--concurrency", load.arrival.concurrency, "closed loop: requests in flight")
      ->check(CLI::Range(1, 20'000));
  command
      ->add_option_function<double>(
          "--rate",
          [&load](double rate) {
            load.arrival.kind = ArrivalKind::kOpenLoop;
            load.arrival.rate_per_s = rate;
          },
          "open loop: requests per second, Poisson")
      ->check(CLI::PositiveNumber)
      ->type_name("FLOAT");
  command->add_option("--prompt-tokens", load.workload.prompt_tokens, "of a prompt, about");
  command->add_option("--output-tokens", load.workload.output_tokens, "of an answer, about");
  command
      ->add_option("--range-ratio", load.workload.range_ratio,
                   "lengths vary by this share up and down")
      ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option_function<std::string>(
          "--endpoint",
          [&load](const std::string& name) {
            load.endpoint = name == "completions" ? ApiEndpoint::kCompletions : ApiEndpoint::kChat;
          },
          "chat or completions")
      ->check(CLI::IsMember({"chat", "completions"}));
}

void add_decision(CLI::App* command, CompareOptions& compare) {
  command->add_option("--blocks", compare.blocks, "pairs of runs; 7 or more can show a difference")
      ->check(CLI::Range(1, 10'000));
  command
      ->add_option("--calibration-blocks", compare.calibration_blocks,
                   "pairs of A against A first, to know the noise; 0: none")
      ->check(CLI::Range(0, 10'000));
  command->add_option("--margin", compare.margin_percent, "percent that do not matter")
      ->check(CLI::Range(0.01, 100.0));
  command->add_option("--alpha", compare.alpha_percent, "percent of false alarms, both phases")
      ->check(CLI::Range(0.1, 50.0));
  command->add_option("--ttft-statistic", compare.ttft_statistic, "p50, p95 or mean")
      ->check(CLI::IsMember({"p50", "p95", "mean"}));
  command->add_option("--slo", compare.slo, "limits in ms, e.g. ttft:500 tpot:50 e2el:3000");
  command->add_flag("--capacity", compare.capacity,
                    "afterwards find each side's highest rate that keeps the limits");
  command
      ->add_option("--capacity-target", compare.capacity_target_percent,
                   "percent of requests that must keep them")
      ->check(CLI::Range(1.0, 99.99));
  command
      ->add_option("--run-noise", compare.run_noise_percent,
                   "one run each: percent by which runs of one side differ, known from elsewhere")
      ->check(CLI::Range(0.001, 100.0));
  command->add_option("--seed", compare.seed, "of order, prompts, lengths and arrivals");
}

}  // namespace

CLI::App* add_compare(CLI::App& app, CompareOptions& compare) {
  CLI::App* command =
      app.add_subcommand("compare", "which of two servers, by both phases, and how sure");
  command
      ->add_option("A", compare.a,
                   "URL, quoted command that starts a server ({port}: a free one), or result file")
      ->required();
  command->add_option("B", compare.b, "the same for the other side")->required();
  compare.load.num_requests = 16;
  compare.load.arrival.concurrency = 2;
  compare.load.workload.range_ratio = 0.5;
  compare.load.keep_text = true;
  add_load(command, compare.load);
  add_decision(command, compare);
  command->add_flag("--restart", compare.restart, "start a command's server anew for every run");
  command
      ->add_option("--start-timeout", compare.start_timeout_s,
                   "seconds a command's server may take to answer")
      ->check(CLI::Range(1, 86'400));
  command
      ->add_option("--max-lag", compare.max_lag_ms,
                   "ms by which the client may be late (p99) before a run is invalid")
      ->check(CLI::Range(0.1, 1e6));
  command
      ->add_option("--invalid-retries", compare.invalid_retries,
                   "times that a block with an invalid run is done again")
      ->check(CLI::Range(0, 100));
  command->add_option("--html", compare.html, "write the page to this file");
  command->add_flag("--json", compare.json, "print as JSON");
  command->add_flag("--exit-zero", compare.exit_zero, "exit 0 whatever the verdict");
  command->add_option("--label", compare.label, "name of this comparison in the history");
  add_runs_db(command, compare.db);
  return command;
}

}  // namespace twostroke

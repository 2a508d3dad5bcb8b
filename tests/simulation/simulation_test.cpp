// Goal: no order of arrivals, cancels, shared prefixes, evictions and preemptions breaks an answer,
// a ledger or a block. Method: run_simulation() for many seeds; a failure names the seed, also when
// a CHECK stops the process.
//
//   simulation_test              seeds 1 to 200, and that they reach the corners they are for
//   simulation_test --seeds N    seeds 1 to N
//   simulation_test --seed N     only this one, saying what happened
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "testing/simulator.h"

namespace twostroke {
namespace {

char replay_hint[96] = "";

void print_replay_hint(int) {
  std::fputs(replay_hint, stderr);
  std::fflush(stderr);
}

std::string describe(const SimulationTally& tally) {
  return fmt::format(
      "{} requests ({} refused) in {} steps: {} stopped ({} by a string), {} length, {} cancelled "
      "({} before a "
      "token), {} errors; {} output tokens, {} cached tokens, {} preemptions, {} resets",
      tally.num_requests, tally.num_refused, tally.num_steps, tally.num_stopped,
      tally.num_stop_strings, tally.num_length, tally.num_cancelled,
      tally.num_cancelled_before_first_token, tally.num_errors, tally.num_output_tokens,
      tally.num_cached_tokens, tally.num_preemptions, tally.num_resets);
}

bool run_seed(uint64_t seed, SimulationTally& total) {
  const auto hint = fmt::format("replay with: simulation_test --seed {}\n", seed);
  hint.copy(replay_hint, sizeof(replay_hint) - 1);
  replay_hint[std::min(hint.size(), sizeof(replay_hint) - 1)] = '\0';
  const SimulationOutcome outcome = run_simulation(seed);
  total += outcome.tally;
  if (outcome.failure.empty()) return true;
  fmt::print(stderr, "seed {}: {}\n{}", seed, outcome.failure, hint);
  return false;
}

bool reaches_the_corners(const SimulationTally& total) {
  const int64_t rarest =
      std::min({total.num_refused, total.num_stopped, total.num_stop_strings, total.num_length,
                total.num_cancelled, total.num_cancelled_before_first_token, total.num_errors,
                total.num_preemptions, total.num_cached_tokens, total.num_resets});
  if (rarest >= 50) return true;
  fmt::print(stderr, "the seeds miss a corner: {} is the rarest count, at least 50 expected\n",
             rarest);
  return false;
}

int run(int argc, char** argv) {
  uint64_t first = 1;
  uint64_t last = 200;
  if (argc == 3) {
    const std::string_view value = argv[2];
    std::from_chars(value.data(), value.data() + value.size(), last);
    if (std::string_view(argv[1]) == "--seed") first = last;
  }
  std::signal(SIGABRT, print_replay_hint);
  SimulationTally total;
  bool ok = true;
  for (uint64_t seed = first; seed <= last; ++seed) ok = run_seed(seed, total) && ok;
  fmt::print("{}\n", describe(total));
  if (first != last) ok = reaches_the_corners(total) && ok;
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace twostroke

int main(int argc, char** argv) {
  return twostroke::run(argc, argv);
}

#include "testing/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "testing/fake_model.h"
#include "testing/simulated_request.h"

namespace twostroke {
namespace {

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : random_(seed) { build_world(); }

  SimulationOutcome run();

 private:
  struct Client {
    RequestId id = 0;
    RequestInput input;
    std::shared_ptr<TokenStream> stream;
    std::vector<TokenId> tokens;
    std::string text;
  };

  int between(int lowest, int highest) {
    return lowest + static_cast<int>(random_() % static_cast<uint64_t>(highest - lowest + 1));
  }
  bool one_in(int n) { return between(1, n) == 1; }

  void build_world();
  EngineConfig random_config();
  RequestInput random_input();
  std::vector<TokenId> random_prompt();
  void submit();
  void disturb();
  void step();
  void collect();
  void check_end(Client& client);
  void fail(const std::string& what) {
    if (outcome_.failure.empty()) outcome_.failure = what;
  }

  std::mt19937_64 random_;
  ManualClock clock_;
  SimulatedWorld world_;
  std::vector<std::vector<TokenId>> families_;  // beginnings that prompts share
  std::unique_ptr<FakeModel> model_;
  std::unique_ptr<FakeTokenText> text_;
  std::unique_ptr<Engine> engine_;
  std::vector<Client> clients_;  // live
  SimulationOutcome outcome_;
};

void Simulation::build_world() {
  clock_.advance_ns(between(1, 1'000'000));
  FakeModelConfig model;
  model.vocab_size = between(8, 40);
  model.block_size = 1 << between(0, 4);
  model.num_blocks = between(2, 60 / model.block_size + 6);
  model.max_context_length = between(8, 120);
  model.fixed_ns = between(0, 3'000'000);
  model.token_ns = between(0, 100'000);
  if (one_in(3)) model.poison_token = between(0, model.vocab_size - 1);
  model_ = std::make_unique<FakeModel>(model, &clock_);
  std::vector<TokenId> end_tokens;
  if (one_in(2)) end_tokens.push_back(between(0, model.vocab_size - 1));
  text_ = std::make_unique<FakeTokenText>(model.vocab_size, end_tokens,
                                          std::vector<std::string>{"", "abc", "ca", "bb"});
  engine_ = Engine::create(random_config(), *model_, *text_, clock_).value();
  world_ = {.vocab_size = model.vocab_size,
            .max_model_len = engine_->max_model_len(),
            .poison_token = model.poison_token,
            .text = text_.get()};
  for (int i = 0; i < 3; ++i) {
    std::vector<TokenId>& family = families_.emplace_back();
    for (int k = 0; k < 100; ++k) family.push_back(between(0, model.vocab_size - 1));
  }
}

EngineConfig Simulation::random_config() {
  EngineConfig config;
  config.max_running = between(1, 6);
  config.max_step_tokens = between(config.max_running, config.max_running + 24);
  config.max_prefill_tokens_with_decode = between(1, 12);
  config.max_waiting = between(0, 8);
  if (one_in(2)) config.target_itl_ns = between(1, 4'000'000);
  config.num_step_records = between(1, 8);
  if (one_in(4)) {  // law 3 must hold whatever the hash is
    config.prefix_hash = {[](std::string_view) { return uint64_t{7}; },
                          [](uint64_t, std::span<const TokenId> tokens) {
                            return static_cast<uint64_t>(tokens[0] % 2);
                          }};
  }
  return config;
}

std::vector<TokenId> Simulation::random_prompt() {
  const int longest = world_.max_model_len - 1;
  const int size = between(1, one_in(20) ? longest + 3 : std::min(longest, 60));
  std::vector<TokenId> prompt = families_[static_cast<size_t>(between(0, 2))];
  prompt.resize(static_cast<size_t>(between(0, std::min(size, 100))));
  while (prompt.size() < static_cast<size_t>(size)) {
    prompt.push_back(between(0, world_.vocab_size - 1));
  }
  return prompt;
}

RequestInput Simulation::random_input() {
  RequestInput input;
  input.prompt = random_prompt();
  input.max_tokens = between(1, 24);
  input.sampling.temperature = 0;
  input.ignore_eos = one_in(4);
  input.cache_prompt = !one_in(5);
  input.return_progress = one_in(4);
  if (one_in(3)) input.cache_salt.assign(1, one_in(2) ? 'a' : 'b');
  if (one_in(4)) input.stop_token_ids.push_back(between(0, world_.vocab_size - 1));
  if (one_in(3)) input.stop = {one_in(2) ? "ab" : "bbc", "cab"};
  if (one_in(4)) input.sampling.min_tokens = between(1, 6);
  input.received_ns = clock_.now_ns();
  for (int64_t* time : {&input.parsed_ns, &input.templated_ns, &input.tokenized_ns}) {
    clock_.advance_ns(between(0, 1000));
    *time = one_in(5) ? 0 : clock_.now_ns();
  }
  return input;
}

void Simulation::submit() {
  Client client;
  client.input = random_input();
  client.stream = std::make_shared<TokenStream>();
  const Result<RequestId> id = engine_->submit(client.input, client.stream);
  if (id.ok()) {
    client.id = id.value();
    clients_.push_back(std::move(client));
    ++outcome_.tally.num_requests;
    return;
  }
  ++outcome_.tally.num_refused;
  const bool too_long = client.input.prompt.size() >= static_cast<size_t>(world_.max_model_len);
  const bool full = clients_.size() >= static_cast<size_t>(engine_->config().max_live_requests());
  if (!too_long && !full) fail("refused without a reason: " + id.error().message);
}

void Simulation::disturb() {
  if (one_in(2)) clock_.advance_ns(between(0, 500'000));
  if (one_in(12) && !clients_.empty()) {
    engine_->cancel(
        clients_[static_cast<size_t>(between(0, static_cast<int>(clients_.size()) - 1))].id);
  }
  if (one_in(40))
    engine_->cancel(static_cast<RequestId>(between(0, 50)));  // gone, live or never there
  if (one_in(60)) {
    engine_->reset_prefix_cache();
    ++outcome_.tally.num_resets;
  }
}

void Simulation::step() {
  // Somebody leaves in the middle of a step now and then.
  if (one_in(20) && !clients_.empty()) {
    const size_t who = static_cast<size_t>(between(0, static_cast<int>(clients_.size()) - 1));
    model_->set_during_forward([this, id = clients_[who].id] { engine_->cancel(id); });
  } else {
    model_->set_during_forward(nullptr);
  }
  if (engine_->step_once()) ++outcome_.tally.num_steps;
  engine_->check_invariants();
  const EngineStats stats = engine_->stats();
  if (stats.num_blocks_free + stats.num_blocks_cached > stats.num_blocks_total) {
    fail("more blocks than there are");
  }
  collect();
}

void Simulation::collect() {
  for (Client& client : clients_) {
    for (const TokenEvent& event : client.stream->take()) {
      if (event.token != kNoToken) client.tokens.push_back(event.token);
      client.text += event.text;
    }
    if (client.stream->finished()) check_end(client);
  }
  std::erase_if(clients_, [](const Client& client) { return client.stream->finished(); });
}

void Simulation::check_end(Client& client) {
  const RequestSummary summary = client.stream->summary();
  const ExpectedAnswer expected = expected_answer(client.input, world_);
  for (const std::string& wrong :
       {compare_answer(expected, world_, client.tokens, client.text, summary),
        check_ledger(summary), check_record(*client.stream->record(), summary)}) {
    if (!wrong.empty()) fail(fmt::format("request {}: {}", client.id, wrong));
  }
  SimulationTally& tally = outcome_.tally;
  tally.num_stopped += summary.finish_reason == FinishReason::kStop;
  tally.num_stop_strings += summary.stop_string.has_value();
  tally.num_length += summary.finish_reason == FinishReason::kLength;
  tally.num_errors += summary.finish_reason == FinishReason::kError;
  const bool cancelled = summary.finish_reason == FinishReason::kCancelled;
  tally.num_cancelled += cancelled;
  tally.num_cancelled_before_first_token += cancelled && client.tokens.empty();
  tally.num_preemptions += summary.num_preemptions;
  tally.num_cached_tokens += summary.num_cached_tokens;
  tally.num_output_tokens += summary.num_output_tokens;
}

SimulationOutcome Simulation::run() {
  const int arrival_gap = between(1, 6);
  for (int turn = 0; turn < 150; ++turn) {
    while (one_in(arrival_gap + 1)) submit();
    disturb();
    step();
  }
  if (one_in(4)) {
    engine_->stop();
    collect();
  }
  for (int num_steps = 0; !clients_.empty(); ++num_steps) {
    if (num_steps > 20'000) {
      fail("requests do not finish");
      return outcome_;
    }
    step();
  }
  const EngineStats stats = engine_->stats();
  if (stats.num_running + stats.num_waiting != 0) fail("requests are left in the engine");
  if (stats.num_blocks_free + stats.num_blocks_cached != stats.num_blocks_total) {
    fail("blocks are still referenced when everybody is gone");
  }
  return outcome_;
}

}  // namespace

SimulationTally& SimulationTally::operator+=(const SimulationTally& other) {
  num_requests += other.num_requests;
  num_refused += other.num_refused;
  num_steps += other.num_steps;
  num_stopped += other.num_stopped;
  num_stop_strings += other.num_stop_strings;
  num_length += other.num_length;
  num_cancelled += other.num_cancelled;
  num_errors += other.num_errors;
  num_cancelled_before_first_token += other.num_cancelled_before_first_token;
  num_preemptions += other.num_preemptions;
  num_cached_tokens += other.num_cached_tokens;
  num_output_tokens += other.num_output_tokens;
  num_resets += other.num_resets;
  return *this;
}

SimulationOutcome run_simulation(uint64_t seed) {
  return Simulation(seed).run();
}

}  // namespace twostroke

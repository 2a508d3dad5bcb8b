// Comparing two servers that are there, or that we start: blocks in the order that was drawn before
// the first of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/compare.h"
#include "apps/seed.h"
#include "apps/server_process.h"
#include "measure/decide/block_plan.h"
#include "measure/decide/client_samples.h"
#include "measure/decide/comparison_text.h"
#include "measure/load_run.h"

namespace twostroke {
namespace {

// One side: an address, or a command whose process is kept, or started anew for every run.
class Arm {
 public:
  static Result<Arm> open(const std::string& text, const CompareOptions& options) {
    Arm arm;
    arm.text_ = text;
    arm.restart_ = options.restart;
    // What looks like one word is an address; a command has at least a flag.
    if (text.find(' ') == std::string::npos) {
      arm.url_ = TRY(parse_server_url(text));
      return arm;
    }
    arm.process_options_ = {.command = text, .start_timeout_s = options.start_timeout_s};
    arm.is_command_ = true;
    if (!options.restart) TRY(arm.start());
    return arm;
  }

  Result<LoadResult> run(LoadConfig config, const std::atomic<bool>& stop) {
    if (is_command_ && !process_) TRY(start());
    config.server = process_ ? process_->url() : url_;
    Result<LoadResult> result = run_load(config, {.stop = &stop});
    if (!result.ok() && process_ && !process_->is_running()) {
      return Error{result.error().code,
                   fmt::format("{}; `{}` has ended, the end of its output:\n{}",
                               result.error().message, text_, process_->last_output()),
                   result.error().field};
    }
    if (restart_) process_.reset();
    return result;
  }

  const std::string& text() const { return text_; }
  // Whether both are one server, whose cache would know the second side's prompts from the first.
  bool is_same_server(const Arm& other) const {
    return this == &other ||
           (!is_command_ && !other.is_command_ && url_.text() == other.url_.text());
  }

 private:
  Status start() {
    process_ = TRY(ServerProcess::start(process_options_));
    return {};
  }

  std::string text_;
  ServerUrl url_;
  ServerProcessOptions process_options_;
  std::optional<ServerProcess> process_;
  bool is_command_ = false;
  bool restart_ = false;
};

// Why a run must not be used; empty: it may.
std::string problem_of(const LoadConfig& config, const LoadResult& result, double max_lag_ms) {
  int failed = 0;
  int short_answers = 0;
  std::string first_error;
  for (const ClientRecord& record : result.records) {
    if (!record.ok()) {
      if (failed++ == 0) first_error = record.error;
    } else if (config.ignore_eos && record.output_tokens != record.requested_output_tokens) {
      ++short_answers;
    }
  }
  const size_t n = result.records.size();
  if (failed > 0) return fmt::format("{} of {} requests failed ({})", failed, n, first_error);
  if (short_answers > 0) {
    return fmt::format("{} of {} answers have another length than was asked for", short_answers, n);
  }
  const double ttft_ms = run_statistic(arm_run_of(result), Metric::kTtftP50);
  const double lag_limit_ms = std::max(max_lag_ms, 0.01 * ttft_ms);
  if (result.client.loop_lag_p99_ms > lag_limit_ms) {
    return fmt::format(
        "the client was late by {:.1f} ms (p99; limit {:.1f} ms): this machine is too "
        "busy to measure",
        result.client.loop_lag_p99_ms, lag_limit_ms);
  }
  return {};
}

class LiveRunner {
 public:
  LiveRunner(const CompareOptions& options, const ComparisonRules& rules,
             const std::atomic<bool>& interrupted)
      : options_(options), rules_(rules), interrupted_(interrupted) {}

  // A little load that is not measured: the first requests of a process find cold memory.
  Status settle(Arm& arm) {
    LoadConfig config = options_.load;
    config.num_requests = std::min(config.num_requests, 2 * config.arrival.concurrency);
    config.seed = options_.seed;
    config.text_salt = next_salt_++;
    TRY(arm.run(config, interrupted_));
    return {};
  }

  // Runs both sides of each block. Ends early when interrupted.
  Result<std::vector<Block>> blocks(const char* what, int count, uint64_t seed, Arm& a, Arm& b) {
    std::vector<Block> done;
    const std::vector<PlannedBlock> plan = plan_blocks(count, seed);
    for (size_t i = 0; i < plan.size() && !interrupted_; ++i) {
      std::optional<Block> block = TRY(valid_block(plan[i], a, b));
      if (!block) break;
      done.push_back(std::move(*block));
      print_block(what, i, plan.size(), done.back());
    }
    return done;
  }

  Result<Capacity> capacity(Arm& arm, double first_rate) {
    CapacityRules search;
    search.first_rate_per_s = first_rate;
    search.target = options_.capacity_target_percent / 100;
    uint64_t seed = options_.seed;
    const auto attempt = [&](double rate) -> Result<AttainmentCount> {
      LoadConfig config = options_.load;
      config.arrival.kind = ArrivalKind::kOpenLoop;
      config.arrival.rate_per_s = rate;
      config.seed = ++seed;
      config.text_salt = next_salt_++;
      // Fewer than this cannot prove a share of 95 %, whatever they do.
      config.num_requests = std::max(config.num_requests, kCapacityRequests);
      const LoadResult result = TRY(arm.run(config, interrupted_));
      if (interrupted_) return Error{ErrorCode::kCancelled, "interrupted", ""};
      AttainmentCount count;
      for (const RequestSample& request : arm_run_of(result).requests) {
        ++count.total;
        count.good += keeps(request, rules_.slo) ? 1 : 0;
      }
      fmt::print(stderr, "capacity of {}: {} of {} keep the limits at {:.2f} requests/s\n",
                 arm.text(), count.good, count.total, rate);
      return count;
    };
    return find_capacity(attempt, search);
  }

  std::string model_a;
  std::string model_b;
  std::vector<std::string> notes;

 private:
  static constexpr int kCapacityRequests = 120;

  // Nothing when interrupted. A block with an invalid run is done again, whole.
  Result<std::optional<Block>> valid_block(const PlannedBlock& planned, Arm& a, Arm& b) {
    std::string problem;
    const bool same_server = a.is_same_server(b);
    for (int attempt = 0; attempt <= options_.invalid_retries; ++attempt) {
      problem.clear();
      const uint64_t salt = next_salt_++;  // also after an invalid run: its prompts are known now
      Block block;
      block.a_first = planned.a_first;
      block.seed = planned.load_seed;
      for (const bool is_a : {planned.a_first, !planned.a_first}) {
        LoadConfig config = options_.load;
        config.seed = planned.load_seed;
        config.text_salt = salt;
        if (same_server) {
          // Other words each time, and so other answers: not to be compared.
          config.text_salt = next_salt_++;
          config.keep_text = false;
        }
        Arm& arm = is_a ? a : b;
        const LoadResult result = TRY(arm.run(config, interrupted_));
        if (interrupted_ || result.stopped) return std::optional<Block>{};
        (is_a ? block.a : block.b) = arm_run_of(result);
        (is_a ? model_a : model_b) = result.server.model;
        problem = problem_of(config, result, options_.max_lag_ms);
        if (!problem.empty()) {
          problem = fmt::format("{}: {}", arm.text(), problem);
          break;
        }
      }
      if (problem.empty()) return std::optional<Block>(std::move(block));
      notes.push_back(fmt::format("A block was invalid and was run again: {}.", problem));
      fmt::print(stderr, "invalid run, the block is done again: {}\n", problem);
    }
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("no valid run after {} attempts: {}", options_.invalid_retries + 1, problem),
        "compare"};
  }

  void print_block(const char* what, size_t index, size_t count, const Block& block) const {
    const double ttft = std::log(run_statistic(block.b, rules_.ttft_metric) /
                                 run_statistic(block.a, rules_.ttft_metric));
    const double tpot = std::log(run_statistic(block.b, Metric::kTpotMean) /
                                 run_statistic(block.a, Metric::kTpotMean));
    fmt::print(stderr, "{} {}/{} ({} first): TTFT {}, TPOT {}\n", what, index + 1, count,
               block.a_first ? "A" : "B", percent_text(ttft), percent_text(tpot));
  }

  const CompareOptions& options_;
  const ComparisonRules& rules_;
  const std::atomic<bool>& interrupted_;
  // Words that no earlier comparison has sent, whatever its seed was.
  uint64_t next_salt_ = fresh_seed();
};

std::string load_text(const LoadConfig& load) {
  std::string text = fmt::format("each run {} requests", load.num_requests);
  if (load.arrival.kind == ArrivalKind::kOpenLoop) {
    text += fmt::format(", {:g} per second", load.arrival.rate_per_s);
  } else {
    text += fmt::format(", {} at a time", load.arrival.concurrency);
  }
  return text + fmt::format(", about {} prompt and {} output tokens{}", load.workload.prompt_tokens,
                            load.workload.output_tokens,
                            load.workload.cache == CacheMode::kCold ? ", cold cache" : "");
}

void print_calibration(const std::vector<Block>& calibration, const CompareOptions& options,
                       const ComparisonRules& rules) {
  for (const Metric metric : {rules.ttft_metric, Metric::kTpotMean}) {
    const std::vector<double> ratios = log_ratios(calibration, metric);
    if (ratios.size() < 2) continue;
    const NoiseCalibration result = calibrate_noise(ratios, options.blocks, rules.decision);
    fmt::print(stderr, "{}: {} blocks will find {:.1f} % or more; {:g} % would take {} blocks\n",
               traits_of(metric).name, options.blocks, 100 * result.detectable,
               options.margin_percent, result.blocks_for_margin);
  }
}

}  // namespace

Result<LiveComparison> compare_live(const CompareOptions& options, const ComparisonRules& rules,
                                    const std::atomic<bool>& interrupted) {
  TRY(check_load_config(options.load));
  Arm a = TRY(Arm::open(options.a, options));
  Arm b = TRY(Arm::open(options.b, options));
  LiveRunner runner(options, rules, interrupted);
  if (!options.restart) {
    TRY(runner.settle(a));
    TRY(runner.settle(b));
  }
  // Its own draw: calibration must not use up the comparison's prompts.
  const std::vector<Block> calibration =
      TRY(runner.blocks("A against A", options.calibration_blocks, ~options.seed, a, a));
  print_calibration(calibration, options, rules);
  LiveComparison live;
  live.blocks = TRY(runner.blocks("block", options.blocks, options.seed, a, b));
  if (live.blocks.empty()) return Error{ErrorCode::kCancelled, "interrupted: nothing measured", ""};
  live.comparison = compare_blocks(live.blocks, calibration, rules);
  live.comparison.name_a = options.a;
  live.comparison.name_b = options.b;
  live.comparison.model_a = runner.model_a;
  live.comparison.model_b = runner.model_b;
  live.comparison.load = load_text(options.load);
  for (std::string& note : runner.notes) live.comparison.notes.push_back(std::move(note));
  if (interrupted) {
    live.comparison.notes.push_back(
        fmt::format("Interrupted after {} of {} blocks.", live.blocks.size(), options.blocks));
  }
  if (options.capacity && !interrupted) {
    const double rate = std::max(
        0.1, static_cast<double>(options.load.num_requests) / live.blocks[0].a.duration_s / 2);
    live.capacity_a = TRY(runner.capacity(a, rate));
    live.capacity_b = TRY(runner.capacity(b, rate));
  }
  return live;
}

}  // namespace twostroke

#include "measure/load_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "measure/load_stream.h"
#include "measure/workload/arrival_times.h"
#include "measure/workload/calibration.h"
#include "measure/workload/prompt_source.h"

namespace twostroke {
namespace {

// Prompts that are written before the run, so that writing them does not disturb it.
constexpr int kMaxPrepared = 20'000;
constexpr size_t kMaxPreparedBytes = size_t{256} << 20;

class PreparedRequests {
 public:
  PreparedRequests(std::shared_ptr<const PromptSource> source, int count)
      : source_(std::move(source)) {
    size_t bytes = 0;
    for (int i = 0; i < std::min(count, kMaxPrepared) && bytes < kMaxPreparedBytes; ++i) {
      prepared_.push_back(source_->make(i));
      bytes += prepared_.back().body.size();
    }
  }
  PlannedRequest operator()(int index) const {
    const auto at = static_cast<size_t>(index);
    return at < prepared_.size() ? prepared_[at] : source_->make(index);
  }

 private:
  std::shared_ptr<const PromptSource> source_;
  std::vector<PlannedRequest> prepared_;
};

std::vector<ClientRecord> warm_up(HttpClient& client, const PromptSource& source,
                                  const LoadConfig& config, const LoadHooks& hooks) {
  std::vector<ClientRecord> records;
  if (hooks.progress != nullptr) hooks.progress->warming_up = true;
  for (int i = 0; i < config.warmup_requests; ++i) {
    if (hooks.stop != nullptr && hooks.stop->load()) break;
    const PlannedRequest request = source.make_warmup(i);
    ClientRecord record = client.generate(request.path, request.body);
    record.index = i;
    record.label = "warmup";
    record.requested_output_tokens = request.output_tokens;
    record.planned_prompt_tokens = request.prompt_tokens;
    records.push_back(std::move(record));
  }
  if (hooks.progress != nullptr) hooks.progress->warming_up = false;
  return records;
}

std::vector<int64_t> due_times(const LoadConfig& config, const PromptSource& source) {
  std::vector<int64_t> due_ns;
  if (config.arrival.kind == ArrivalKind::kOpenLoop) {
    return arrival_times_ns(config.arrival, config.num_requests, config.seed);
  }
  if (config.arrival.kind == ArrivalKind::kTrace) {
    for (const TraceRow& row : source.trace()) {
      if (due_ns.size() >= static_cast<size_t>(config.num_requests)) break;
      due_ns.push_back(row.at_ns);
    }
  }
  return due_ns;
}

}  // namespace

Result<PreparedServer> prepare_server(const LoadConfig& config, const LoadHooks& hooks) {
  TRY(check_load_config(config));
  PreparedServer server;
  PromptSource source = TRY(PromptSource::open(config));
  HttpClient client(config.server, config.http);
  server.facts.model = config.model;
  if (config.model.empty()) server.facts.model = TRY(first_model(client));
  const Calibration calibration = TRY(calibrate(client, source, server.facts.model));
  server.facts.length_method = calibration.method;
  server.facts.system_role = calibration.system_role;
  server.warmup = warm_up(client, source, config, hooks);
  server.source = std::make_shared<const PromptSource>(std::move(source));
  return server;
}

LoadSetup setup_of(const LoadConfig& config) {
  return {config.server, config.http, config.keep_text, config.retries, config.seed};
}

Result<LoadResult> run_load(const LoadConfig& config, const LoadHooks& hooks) {
  PreparedServer server = TRY(prepare_server(config, hooks));
  LoadStream stream;
  stream.arrival = config.arrival;
  stream.max_duration_s = config.max_duration_s;
  stream.due_ns = due_times(config, *server.source);
  stream.num_requests = config.arrival.kind == ArrivalKind::kClosedLoop
                            ? config.num_requests
                            : static_cast<int>(stream.due_ns.size());
  stream.make = PreparedRequests(server.source, stream.num_requests);
  if (hooks.progress != nullptr) hooks.progress->planned = stream.num_requests;
  std::vector<LoadStream> streams;
  streams.push_back(std::move(stream));
  StreamsOutcome outcome = run_streams(setup_of(config), std::move(streams), hooks);
  LoadResult result;
  result.records = std::move(outcome.records);
  result.warmup = std::move(server.warmup);
  result.duration_ns = outcome.duration_ns;
  result.client = outcome.client;
  result.server = std::move(server.facts);
  result.stopped = outcome.stopped;
  return result;
}

}  // namespace twostroke

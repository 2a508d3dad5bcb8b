#include "apps/explain_server.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/report.h"
#include "apps/seed.h"
#include "base/clock.h"
#include "measure/client_metrics.h"
#include "measure/http_client.h"
#include "measure/load_run.h"
#include "measure/outside/outside_report.h"

namespace twostroke {
namespace {

// What a server's own metrics are called. Ours come first: some servers offer vLLM's names too.
struct SoftwareMark {
  const char* text;
  const char* name;
};
constexpr SoftwareMark kMarks[] = {{"twostroke", "twostroke"},
                                   {"sglang:", "SGLang"},
                                   {"llamacpp:", "llama.cpp"},
                                   {"trtllm_", "TensorRT-LLM"},
                                   {"vllm:", "vLLM"}};

// By its Server header when that names an engine and not just an HTTP library, then by its metrics.
std::string software_of(HttpClient& client) {
  const Result<HttpReply> models = client.get("/v1/models");
  if (models.ok()) {
    const std::string_view header = models->head.header("server");
    for (const char* name : {"twostroke", "llama.cpp"}) {
      if (header.find(name) != std::string_view::npos) return name;
    }
  }
  const Result<HttpReply> metrics = client.get("/metrics");
  if (metrics.ok() && metrics->ok()) {
    for (const SoftwareMark& mark : kMarks) {
      if (metrics->body.find(mark.text) != std::string::npos) return mark.name;
    }
  }
  const Result<HttpReply> props = client.get("/props");
  if (props.ok() && props->ok() &&
      props->body.find("default_generation_settings") != std::string::npos) {
    return "llama.cpp";
  }
  return {};
}

class Prober {
 public:
  Prober(const ExplainServerOptions& options, ServerUrl url, uint64_t seed)
      : options_(options), url_(std::move(url)), seed_(seed) {}

  // An Error only when there is no server to look at; a probe that fails is a problem in the data.
  Result<ProbeData> probe() {
    data_.url = url_.text();
    HttpClient client(url_, {.api_key = options_.api_key});
    TRY(client.get("/v1/models"));  // opens the connection
    look_around(client);
    // The first requests of a process find cold memory: not measured.
    const LoadResult first = TRY(run_load(config(64, 4, 2)));
    data_.model = first.server.model;
    if (const std::string problem = first_problem(first.records); !problem.empty()) {
      return Error{ErrorCode::kIo, fmt::format("{}: {}", data_.url, problem), "url"};
    }
    for (int round = 0; round < options_.rounds; ++round) {
      fmt::print(stderr, "round {} of {}: prompts, answers, cache, bursts\n", round + 1,
                 options_.rounds);
      sweep_prompts();
      sweep_outputs();
      probe_cache();
      probe_bursts();
    }
    return std::move(data_);
  }

 private:
  void look_around(HttpClient& client) {
    const SteadyClock clock;
    for (int i = 0; i < 10; ++i) {
      const int64_t start_ns = clock.now_ns();
      const Result<HttpReply> reply = client.get("/v1/models");
      if (!reply.ok()) return;
      data_.round_trip_ms.push_back(static_cast<double>(clock.now_ns() - start_ns) / 1e6);
    }
    data_.software = software_of(client);
  }

  LoadConfig config(int prompt_tokens, int output_tokens, int requests, int concurrency = 1) {
    LoadConfig load;
    load.server = url_;
    load.http.api_key = options_.api_key;
    load.model = options_.model;
    load.endpoint = options_.endpoint;
    load.num_requests = requests;
    load.warmup_requests = 0;
    load.seed = seed_++;
    load.arrival.concurrency = concurrency;
    load.workload.prompt_tokens = prompt_tokens;
    load.workload.output_tokens = output_tokens;
    return load;
  }

  static std::string first_problem(const std::vector<ClientRecord>& records) {
    for (const ClientRecord& record : records) {
      if (!record.ok()) return record.error.empty() ? "a request failed" : record.error;
    }
    return {};
  }

  // Nothing when a request failed: then the problem is told once.
  std::vector<ClientRecord> run(const char* what, const LoadConfig& load) {
    Result<LoadResult> result = run_load(load);
    const std::string problem =
        result.ok() ? first_problem(result->records) : result.error().message;
    if (problem.empty()) return std::move(result->records);
    const std::string text = fmt::format("{}: {}", what, problem);
    if (std::ranges::find(data_.problems, text) == data_.problems.end()) {
      data_.problems.push_back(text);
    }
    return {};
  }

  void sweep_prompts() {
    std::vector<PromptPoint> round;
    for (int tokens = std::min(32, options_.max_prompt_tokens);
         tokens <= options_.max_prompt_tokens; tokens *= 2) {
      for (const ClientRecord& record : run("prompt sweep", config(tokens, 1, 1))) {
        const double told = std::isnan(record.timings.prefill_ms) ? record.timings.prompt_ms
                                                                  : record.timings.prefill_ms;
        round.push_back({.prompt_tokens = record.prompt_tokens > 0 ? record.prompt_tokens : tokens,
                         .ttft_ms = metrics_of(record).ttft_ms,
                         .told_prefill_ms = std::isnan(told) ? -1 : told});
      }
    }
    if (!round.empty()) data_.prompts.push_back(std::move(round));
  }

  void sweep_outputs() {
    std::vector<OutputPoint> round;
    for (int tokens = std::min(8, options_.max_output_tokens); tokens <= options_.max_output_tokens;
         tokens *= 2) {
      for (const ClientRecord& record : run("output sweep", config(32, tokens, 1))) {
        const auto span_ns = record.last_token_ns - record.first_token_ns;
        round.push_back({.output_tokens = record.output_tokens,
                         .chunks = static_cast<int64_t>(record.chunks.size()),
                         .decode_ms = static_cast<double>(span_ns) / 1e6});
      }
    }
    if (!round.empty()) data_.outputs.push_back(std::move(round));
  }

  void probe_cache() {
    LoadConfig load = config(options_.max_prompt_tokens, 2, 1);
    load.workload.cache = CacheMode::kAsIs;  // the same seed gives the same prompt
    const std::vector<ClientRecord> first = run("cache probe", load);
    const std::vector<ClientRecord> again = run("cache probe", load);
    if (first.empty() || again.empty()) return;
    data_.cache.push_back({.prompt_tokens = again[0].prompt_tokens,
                           .first_ms = metrics_of(first[0]).ttft_ms,
                           .again_ms = metrics_of(again[0]).ttft_ms,
                           .again_cached_tokens = again[0].cached_tokens});
  }

  void probe_bursts() {
    std::vector<Burst> round;
    for (int n = 1; n <= options_.max_concurrency; n *= 2) {
      Burst burst;
      burst.concurrency = n;
      int64_t tokens = 0;
      int64_t end_ns = 0;
      int64_t start_ns = INT64_MAX;
      for (const ClientRecord& record :
           run("bursts", config(64, std::max(16, options_.max_output_tokens / 2), n, n))) {
        const ClientMetrics metrics = metrics_of(record);
        burst.ttft_ms.push_back(metrics.ttft_ms);
        burst.e2el_ms.push_back(metrics.e2el_ms);
        if (!std::isnan(metrics.tpot_ms)) burst.tpot_ms.push_back(metrics.tpot_ms);
        tokens += record.output_tokens;
        start_ns = std::min(start_ns, record.sent_ns);
        end_ns = std::max(end_ns, record.last_token_ns);
      }
      if (burst.e2el_ms.empty()) return;
      burst.output_tokens_per_s = static_cast<double>(tokens) * 1e9 /
                                  static_cast<double>(std::max<int64_t>(1, end_ns - start_ns));
      round.push_back(std::move(burst));
    }
    data_.bursts.push_back(std::move(round));
  }

  const ExplainServerOptions& options_;
  ServerUrl url_;
  uint64_t seed_;
  ProbeData data_;
};

Status explain_server(const ExplainServerOptions& options) {
  const ServerUrl url = TRY(parse_server_url(options.url));
  // 53 bits at most, as every seed that JSON may hold.
  const uint64_t seed = options.seed_given ? options.seed : fresh_seed() >> 12;
  Prober prober(options, url, seed);
  const ProbeData data = TRY(prober.probe());
  const OutsideReport report = outside_report(data);
  const std::string json =
      outside_json(report).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  fmt::print("{}{}", options.json ? json : outside_text(report), options.json ? "\n" : "");
  std::fflush(stdout);
  StoredRun run;
  run.kind = "explain";
  run.label = options.label;
  run.target = data.url;
  run.model = data.model;
  run.result_json = json;
  const int64_t id = remember_run(options.db, std::move(run));
  if (id > 0) fmt::print(stderr, "saved as run {}\n", id);
  return {};
}

}  // namespace

bool is_server_address(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

int run_explain_server(const ExplainServerOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);
  const Status status = explain_server(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke

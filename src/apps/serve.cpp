// `twostroke serve`: listens at once, answers 503 while the model loads, then serves until SIGTERM
// or SIGINT.
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "apps/loaded_model.h"
#include "apps/model_paths.h"
#include "apps/options.h"
#include "apps/report.h"
#include "apps/served_model.h"
#include "apps/tokenizer_text.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "server/http_server.h"

namespace twostroke {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kCalibrationNs = 1000 * kNsPerMs;

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void print_start(const LoadedModel& model, const Engine& engine) {
  const Decoder& decoder = *model.decoder;
  fmt::print(stderr,
             "{}: loaded in {:.0f} ms, {} threads, up to {} tokens per request\n"
             "KV cache: {} blocks of {} tokens, {:.0f} MiB when full (--kv-memory)\n"
             "steps are cut so that no reader waits longer than {} ms for a token "
             "(--target-itl-ms)\n",
             model_id_of(model.path), double(model.load_ns) / 1e6, model.pool->num_threads(),
             engine.max_model_len(), decoder.num_blocks(), decoder.block_size(),
             double(decoder.kv_bytes()) / double(1 << 20),
             engine.config().target_itl_ns / kNsPerMs);
}

Status serve_until_signal(HttpServer& server, const ServeOptions& options, const Clock& clock,
                          const sigset_t& signals) {
  LoadedModel model = TRY(load_model(options.model, LoadText::kTokenizerAndTemplate, 0,
                                     [&](const std::string& what) { server.set_loading(what); }));
  const TokenizerText text(*model.tokenizer, model.decoder->vocab_size());
  EngineConfig config;
  config.max_step_tokens = options.model.max_step_tokens;
  config.max_running = options.model.max_running;
  config.max_waiting = options.max_queued_requests;
  config.max_prefill_tokens_with_decode = config.max_step_tokens;  // the target bounds it
  config.target_itl_ns = options.target_itl_ms > 0 ? int64_t{options.target_itl_ms} * kNsPerMs
                                                   : EngineConfig::kMeasuredTarget;
  config.calibration_ns = kCalibrationNs;
  const auto engine = TRY(Engine::create(config, *model.decoder, text, clock));
  const auto services =
      TRY(ServedModel::create(model, *engine, options, static_cast<int64_t>(std::time(nullptr))));
  engine->start();
  server.set_ready(ServerContext{*engine, *services});
  print_start(model, *engine);
  fmt::print("listening on {}\n", server.url());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  fmt::print(stderr, "ending: requests get up to {} s to finish\n", options.drain_timeout_s);
  server.stop(options.drain_timeout_s * 1000);
  engine->stop();
  return {};
}

Status serve(const ServeOptions& options) {
  // Blocked before any thread starts, so that only the wait below takes them.
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const SteadyClock clock;
  ServerOptions server_options;
  server_options.host = options.host;
  server_options.port = static_cast<uint16_t>(options.port);
  server_options.max_connections = options.max_connections;
  server_options.keep_prompts = options.keep_prompts;
  const auto server = TRY(HttpServer::start(server_options, clock));
  const Status status = serve_until_signal(*server, options, clock, signals);
  server->stop(0);
  return status;
}

}  // namespace

int run_serve(const ServeOptions& options) {
  const Status status = serve(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke

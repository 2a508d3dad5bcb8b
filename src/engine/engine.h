// Engine: owns every request, the scheduler and the KV bookkeeping, and runs the loop: commands ->
// plan -> run -> publish. All of that happens on one thread, its own after start() or the caller's
// through step_once(). Other threads talk to it as an EngineClient only.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine_client.h"
#include "engine/engine_config.h"
#include "engine/engine_observer.h"
#include "engine/token_text.h"
#include "model/model.h"

namespace twostroke {

class EngineCore;
class CommandQueue;

class Engine final : public EngineClient {
 public:
  // Validates the config against the model and allocates everything a step needs. `model`, `text`
  // and `clock` outlive the engine; `model` is called on the engine thread only.
  static Result<std::unique_ptr<Engine>> create(const EngineConfig& config, Model& model,
                                                const TokenText& text, const Clock& clock);
  ~Engine() override;  // stop()
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Result<RequestId> submit(RequestInput input, std::shared_ptr<TokenStream> stream) override;
  void cancel(RequestId id) override;
  void reset_prefix_cache() override;
  EngineStats stats() const override;
  EngineObserver& observer() override { return observer_; }

  // Starts the engine thread. Once.
  void start();
  // Accepts nothing more, lets requests finish for up to `timeout`, cancels the rest and ends the
  // thread. Every request gets its summary. Any thread but the engine's.
  void drain(std::chrono::milliseconds timeout);
  void stop() { drain(std::chrono::milliseconds(0)); }
  // Without a thread: one turn of the loop (commands, and a step if anything is wanted). False:
  // there was nothing to do.
  bool step_once();

  // Prompt and output tokens of a request together; a prompt must be shorter.
  int max_model_len() const;
  const EngineConfig& config() const { return config_; }
  // CHECKs all bookkeeping. On the thread that steps.
  void check_invariants() const;

 private:
  Engine(const EngineConfig& config, Model& model, const TokenText& text, const Clock& clock);
  void run();

  EngineConfig config_;
  int max_model_len_;
  int vocab_size_;
  int block_size_;
  const TokenText& token_text_;
  const Clock& clock_;
  EngineObserver observer_;
  std::unique_ptr<CommandQueue> commands_;
  std::unique_ptr<EngineCore> core_;
  std::thread thread_;
  std::atomic<bool> has_thread_{false};
  std::mutex drain_mutex_;
  bool stopped_ = false;  // under drain_mutex_
};

}  // namespace twostroke

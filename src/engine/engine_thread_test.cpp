// The engine on its own thread, with many threads submitting, cancelling, reading and resetting at
// once. Meant for the tsan preset; without it, it still checks every answer against the offline
// loop. No timing is asserted.
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "testing/fake_model.h"
#include "testing/fake_token_text.h"

namespace twostroke {
namespace {

constexpr int kVocab = 64;

class EngineThreadTest : public testing::Test {
 protected:
  EngineThreadTest() : model_({.vocab_size = kVocab, .num_blocks = 48}), text_(kVocab) {
    const EngineConfig config{.max_step_tokens = 16,
                              .max_running = 6,
                              .max_prefill_tokens_with_decode = 8,
                              .max_waiting = 6,
                              .num_step_records = 16};
    engine_ = Engine::create(config, model_, text_, clock_).value();
    engine_->start();
  }

  // Submits until there is room, cancels every third request after its first event, checks the
  // rest.
  void run_client(int client, int num_requests) {
    for (int i = 0; i < num_requests; ++i) {
      std::vector<TokenId> prompt(static_cast<size_t>(5 + (client * 7 + i * 3) % 20));
      std::iota(prompt.begin(), prompt.end(), (client + i) % 3);
      RequestInput input;
      input.prompt = prompt;
      input.max_tokens = 1 + (client + i) % 12;
      input.sampling.temperature = 0;
      auto stream = std::make_shared<TokenStream>();
      Result<RequestId> id = engine_->submit(input, stream);
      while (!id.ok()) {
        ASSERT_EQ(id.error().code, ErrorCode::kOverloaded);
        std::this_thread::yield();
        id = engine_->submit(input, stream);
      }
      read(id.value(), *stream, prompt, input.max_tokens, i % 3 == 2);
    }
  }

  void read(RequestId id, TokenStream& stream, const std::vector<TokenId>& prompt, int max_tokens,
            bool cancel) {
    std::vector<TokenId> tokens;
    bool finished = false;
    while (!finished) {
      stream.wait();
      finished = stream.finished();  // before take: the last events are there by then
      for (const TokenEvent& event : stream.take()) {
        if (event.token != kNoToken) tokens.push_back(event.token);
      }
      if (cancel) engine_->cancel(id);
    }
    const RequestSummary summary = stream.summary();
    std::vector<TokenId> expected = fake_generate(prompt, max_tokens, kVocab);
    if (cancel && summary.finish_reason == FinishReason::kCancelled) expected.resize(tokens.size());
    EXPECT_EQ(tokens, expected);
    const auto& causes = summary.ledger.causes_ns();
    EXPECT_EQ(std::accumulate(causes.begin(), causes.end(), int64_t{0}),
              summary.events.finished_ns - summary.events.received_ns);
    ++num_finished_;
  }

  SteadyClock clock_;
  FakeModel model_;
  FakeTokenText text_;
  std::unique_ptr<Engine> engine_;
  std::atomic<int> num_finished_{0};
};

TEST_F(EngineThreadTest, ManyThreadsSubmitCancelReadAndReset) {
  constexpr int kClients = 16;
  constexpr int kRequests = 24;
  std::atomic<bool> done{false};
  std::thread observer([&] {
    int64_t last_step = 0;
    while (!done) {
      const EngineStats stats = engine_->stats();
      EXPECT_LE(stats.num_running, 6);
      for (const StepRecord& record : engine_->observer().steps().since(last_step)) {
        EXPECT_GT(record.step, last_step);
        EXPECT_LE(record.start_ns, record.end_ns);
        last_step = record.step;
      }
      (void)engine_->observer().cost_model().recent_error();
      engine_->reset_prefix_cache();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([this, client] { run_client(client, kRequests); });
  }
  for (std::thread& client : clients) client.join();
  done = true;
  observer.join();
  engine_->drain(std::chrono::milliseconds(60'000));
  engine_->check_invariants();
  EXPECT_EQ(num_finished_, kClients * kRequests);
  EXPECT_EQ(engine_->stats().num_running + engine_->stats().num_waiting, 0);
}

TEST_F(EngineThreadTest, StopEndsEveryStreamWhileOthersSubmit) {
  std::vector<std::shared_ptr<TokenStream>> streams;
  std::mutex mutex;
  std::vector<std::thread> clients;
  std::atomic<int> num_running{0};
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&] {
      while (true) {
        RequestInput input;
        input.prompt = {1, 2, 3};
        input.max_tokens = 150;
        auto stream = std::make_shared<TokenStream>();
        const Result<RequestId> id = engine_->submit(input, stream);
        if (id.ok()) {
          const std::lock_guard lock(mutex);
          streams.push_back(stream);
          ++num_running;
        } else if (id.error().message.find("shutting down") != std::string::npos) {
          return;
        }
      }
    });
  }
  while (num_running < 8) std::this_thread::yield();
  engine_->stop();
  for (std::thread& client : clients) client.join();
  engine_->reset_prefix_cache();  // returns although nobody is there to do it
  for (const auto& stream : streams) EXPECT_TRUE(stream->finished());
}

}  // namespace
}  // namespace twostroke

// SimulatedRequest: one random request of the simulator and what must come of it, worked out
// without an engine.
#pragma once

#include <string>
#include <vector>

#include "engine/engine_client.h"
#include "engine/request_record.h"
#include "engine/token_stream.h"
#include "testing/fake_token_text.h"

namespace twostroke {

// The world the requests live in.
struct SimulatedWorld {
  int vocab_size = 0;
  int max_model_len = 0;
  TokenId poison_token = kNoToken;
  const FakeTokenText* text = nullptr;
};

// The whole answer, had nobody cancelled it.
struct ExpectedAnswer {
  std::vector<TokenId> tokens;
  std::string text;
  FinishReason finish_reason = FinishReason::kNone;
};

// The offline loop: written for clarity, sharing nothing with the engine but fake_next_token().
ExpectedAnswer expected_answer(const RequestInput& input, const SimulatedWorld& world);

// What is wrong with what the stream brought; empty: nothing. `tokens` and `text` are its events
// joined.
std::string compare_answer(const ExpectedAnswer& expected, const SimulatedWorld& world,
                           const std::vector<TokenId>& tokens, const std::string& text,
                           const RequestSummary& summary);

// What is wrong with the summary's ledger and events.
std::string check_ledger(const RequestSummary& summary);
// What others saw of it: the same ledger, chunks that add up to the prompt and to prefill_own, a
// time for each token.
std::string check_record(const RequestRecord& record, const RequestSummary& summary);

}  // namespace twostroke

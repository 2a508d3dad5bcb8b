#include "apps/bench_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/clock.h"

namespace twostroke {
namespace {

// One batch of sequences of equal length, grown together.
class BenchSequences {
 public:
  BenchSequences(Decoder& model, const BenchTest& test) : model_(model), batch_(test.batch) {
    const int blocks_each = bench_blocks(test) / test.batch;
    for (int sequence = 0; sequence < batch_; ++sequence) {
      std::vector<BlockId> table(static_cast<size_t>(blocks_each));
      std::iota(table.begin(), table.end(), sequence * blocks_each);
      tables_.push_back(std::move(table));
    }
    logits_.resize(static_cast<size_t>(batch_) * static_cast<size_t>(model.vocab_size()));
  }

  // Appends `count` tokens to sequence `index`, at most `step` per forward; logits of the last one
  // if wanted.
  void prefill(int index, int start, int count, int step, bool want_logits) {
    for (int done = 0; done < count;) {
      const int tokens = std::min(step, count - done);
      fill_tokens(tokens, start + done);
      const SequenceView sequence{0, tokens, start + done + tokens,
                                  tables_[static_cast<size_t>(index)]};
      const int32_t last_row = tokens - 1;
      const bool last = done + tokens == count && want_logits;
      model_.forward({tokens_, positions_, {&sequence, 1}, {&last_row, last ? 1U : 0U}},
                     std::span(logits_).first(last ? static_cast<size_t>(model_.vocab_size()) : 0));
      done += tokens;
    }
  }

  // One token for every sequence at position `position`.
  void decode(int position) {
    tokens_.clear();
    positions_.assign(static_cast<size_t>(batch_), position);
    std::vector<SequenceView> views;
    std::vector<int32_t> rows(static_cast<size_t>(batch_));
    std::iota(rows.begin(), rows.end(), 0);
    for (int i = 0; i < batch_; ++i) {
      tokens_.push_back(next_token());
      views.push_back({i, 1, position + 1, tables_[static_cast<size_t>(i)]});
    }
    model_.forward({tokens_, positions_, views, rows}, logits_);
  }

 private:
  TokenId next_token() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<TokenId>((state_ >> 33) % static_cast<uint64_t>(model_.vocab_size()));
  }
  void fill_tokens(int count, int first_position) {
    tokens_.clear();
    positions_.clear();
    for (int i = 0; i < count; ++i) {
      tokens_.push_back(next_token());
      positions_.push_back(first_position + i);
    }
  }

  Decoder& model_;
  int batch_;
  uint64_t state_ = 1;
  std::vector<std::vector<BlockId>> tables_;
  std::vector<TokenId> tokens_;
  std::vector<int32_t> positions_;
  std::vector<float> logits_;
};

// Tokens per forward in a prefill test: llama-bench's default micro-batch.
constexpr int kPrefillStep = 512;

double run_once(BenchSequences& sequences, const BenchTest& test) {
  const SteadyClock clock;
  const int64_t start_ns = clock.now_ns();
  if (test.prompt > 0) sequences.prefill(0, test.depth, test.prompt, kPrefillStep, true);
  for (int i = 0; i < test.generate; ++i) sequences.decode(test.depth + test.prompt + i);
  const double tokens = test.prompt + double(test.generate) * test.batch;
  return tokens * 1e9 / double(clock.now_ns() - start_ns);
}

double percentile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const double place = fraction * double(values.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - double(below));
}

// What the test's tokens cost, averaged per token.
void add_costs(const Decoder& model, BenchRow& row) {
  const BenchTest& test = row.test;
  const DecoderWeights& weights = model.weights();
  const double head_share = test.prompt > 0 ? 1.0 / test.prompt : 1.0;
  row.gmacs_per_second =
      row.median * (double(weights.layer_macs()) + double(weights.head_macs()) * head_share) / 1e9;
  if (test.prompt > 0) return;
  const double context = test.depth + test.generate / 2.0;
  const double kv_bytes = model.kv_bytes_read(context);
  row.gigabytes_per_second =
      row.median * (double(weights.bytes_per_token()) / test.batch + kv_bytes) / 1e9;
}

}  // namespace

std::string BenchTest::name() const {
  std::string name = prompt > 0 ? fmt::format("pp{}", prompt) : fmt::format("tg{}", generate);
  if (batch > 1) name += fmt::format(" b{}", batch);
  if (depth > 0) name += fmt::format(" @ d{}", depth);
  return name;
}

int bench_blocks(const BenchTest& test) {
  const int tokens = test.depth + test.prompt + test.generate;
  return test.batch * ((tokens + kKvBlockTokens - 1) / kKvBlockTokens);
}

BenchRow run_bench_test(Decoder& model, const BenchTest& test, int repetitions) {
  BenchRow row;
  row.test = test;
  BenchSequences sequences(model, test);
  for (int i = 0; i < test.batch && test.depth > 0; ++i) {
    sequences.prefill(i, 0, test.depth, kPrefillStep, false);
  }
  run_once(sequences, test);  // warm-up, as llama-bench
  for (int i = 0; i < repetitions; ++i) {
    row.tokens_per_second.push_back(run_once(sequences, test));
  }
  row.median = percentile(row.tokens_per_second, 0.5);
  row.relative_spread =
      (percentile(row.tokens_per_second, 0.75) - percentile(row.tokens_per_second, 0.25)) /
      row.median;
  add_costs(model, row);
  return row;
}

}  // namespace twostroke

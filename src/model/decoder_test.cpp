// Law 1 at the model: one sequence's logits are the same bits alone, in a crowd, in any chunks,
// with any number of threads, on any instruction set, over any blocks. Tiny random models of every
// architecture; the oracle is the same model fed one token at a time by one thread with the scalar
// kernels.
#include "model/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "testing/tiny_model.h"

namespace twostroke {
namespace {

constexpr int kNumBlocks = 256;

struct LoadedTiny {
  std::vector<uint8_t> bytes;
  std::unique_ptr<GgufFile> file;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Decoder> decoder;
};

LoadedTiny load_tiny(const TinyModelOptions& options, int threads, Isa isa) {
  LoadedTiny tiny;
  tiny.bytes = make_tiny_model(options);
  tiny.file = std::make_unique<GgufFile>(GgufFile::parse(tiny.bytes, "tiny").value());
  tiny.pool = std::make_unique<ThreadPool>(threads);
  Result<std::unique_ptr<Decoder>> decoder = Decoder::load(
      *tiny.file, {.max_step_tokens = 512, .num_blocks = kNumBlocks}, kernels_for(isa), *tiny.pool);
  CHECK(decoder.ok());
  tiny.decoder = std::move(decoder).value();
  return tiny;
}

std::vector<TokenId> tokens_of(int count, int vocab_size, uint64_t seed) {
  std::vector<TokenId> tokens;
  for (int i = 0; i < count; ++i) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    tokens.push_back(static_cast<TokenId>((seed >> 33) % static_cast<uint64_t>(vocab_size)));
  }
  return tokens;
}

// One sequence of a step under test.
struct Part {
  std::span<const TokenId> tokens;  // the whole sequence
  int begin, end;                   // what this step computes
  std::span<const BlockId> table;
};

// Runs one step; the logits of each part's last row, one after another.
std::vector<float> step(Decoder& decoder, std::span<const Part> parts) {
  std::vector<TokenId> ids;
  std::vector<int32_t> positions, rows;
  std::vector<SequenceView> sequences;
  for (const Part& part : parts) {
    sequences.push_back(
        {static_cast<int>(ids.size()), part.end - part.begin, part.end, part.table});
    for (int i = part.begin; i < part.end; ++i) {
      ids.push_back(part.tokens[static_cast<size_t>(i)]);
      positions.push_back(i);
    }
    rows.push_back(static_cast<int32_t>(ids.size()) - 1);
  }
  std::vector<float> logits(rows.size() * static_cast<size_t>(decoder.vocab_size()));
  decoder.forward({ids, positions, sequences, rows}, logits);
  return logits;
}

std::vector<BlockId> table_from(BlockId first, int stride, int count) {
  std::vector<BlockId> table(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    table[static_cast<size_t>(i)] = (first + i * stride) % kNumBlocks;
  }
  return table;
}

std::vector<float> in_chunks(Decoder& decoder, std::span<const TokenId> tokens, int chunk,
                             std::span<const BlockId> table) {
  std::vector<float> logits;
  for (int begin = 0; begin < static_cast<int>(tokens.size()); begin += chunk) {
    const Part part{tokens, begin, std::min<int>(begin + chunk, static_cast<int>(tokens.size())),
                    table};
    logits = step(decoder, {&part, 1});
  }
  return logits;
}

class DecoderInvariance : public testing::TestWithParam<TinyModelOptions> {};

TEST_P(DecoderInvariance, ChunksThreadsAndIsasDoNotChangeABit) {
  const TinyModelOptions& options = GetParam();
  // Past a KV split (256 keys), so that split attention is compared too.
  const auto tokens = tokens_of(300, options.vocab_size, 7);
  LoadedTiny scalar = load_tiny(options, 1, Isa::kScalar);
  const auto expected = in_chunks(*scalar.decoder, tokens, 1, table_from(0, 1, 20));
  for (const Isa isa : supported_isas()) {
    for (const int threads : {1, 3}) {
      LoadedTiny tiny = load_tiny(options, threads, isa);
      for (const int chunk : {1, 7, 31, 33, 128, 300}) {
        // Blocks in another order must not matter either.
        const auto logits = in_chunks(*tiny.decoder, tokens, chunk, table_from(200, 7, 20));
        ASSERT_TRUE(logits == expected)
            << isa_name(isa) << ", " << threads << " threads, chunks of " << chunk;
      }
    }
  }
}

TEST_P(DecoderInvariance, ACrowdDoesNotChangeABit) {
  const TinyModelOptions& options = GetParam();
  const auto mine = tokens_of(90, options.vocab_size, 11);
  LoadedTiny tiny = load_tiny(options, 2, best_isa());
  Decoder& decoder = *tiny.decoder;
  const auto alone = in_chunks(decoder, mine, 90, table_from(0, 1, 6));
  const size_t vocab_size = static_cast<size_t>(options.vocab_size);
  for (const int crowd : {1, 5, 40}) {
    std::vector<std::vector<TokenId>> others;
    std::vector<std::vector<BlockId>> tables;
    for (int i = 0; i < crowd; ++i) {
      others.push_back(tokens_of(20, options.vocab_size, static_cast<uint64_t>(100 + i)));
      tables.push_back(table_from(6 + 2 * i, 1, 2));
    }
    const auto my_table = table_from(0, 1, 6);
    std::vector<float> logits;
    // Prefill in two chunks and then decode, always with the others in the same step.
    for (const auto& [begin, end] : {std::pair{0, 50}, {50, 89}, {89, 90}}) {
      std::vector<Part> parts;
      for (int i = 0; i < crowd; ++i) {
        parts.push_back(
            {others[static_cast<size_t>(i)], 0, 1 + i % 3, tables[static_cast<size_t>(i)]});
      }
      const size_t place = static_cast<size_t>(crowd / 2);
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(place),
                   {mine, begin, end, my_table});
      logits = step(decoder, parts);
      logits = {logits.begin() + static_cast<std::ptrdiff_t>(place * vocab_size),
                logits.begin() + static_cast<std::ptrdiff_t>((place + 1) * vocab_size)};
    }
    ASSERT_TRUE(logits == alone) << "among " << crowd;
  }
}

class AbortAfter final : public AbortCheck {
 public:
  explicit AbortAfter(int num_checks) : left_(num_checks) {}
  bool should_abort() override { return left_-- == 0; }

 private:
  int left_;
};

// A step that was given up in any layer leaves nothing behind that the next one could pick up.
TEST_P(DecoderInvariance, AStepGivenUpHalfWayLeavesNoTrace) {
  const TinyModelOptions& options = GetParam();
  const auto tokens = tokens_of(50, options.vocab_size, 13);
  const auto table = table_from(0, 1, 4);
  LoadedTiny tiny = load_tiny(options, 2, best_isa());
  const auto expected = in_chunks(*tiny.decoder, tokens, 50, table);
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  auto logits = expected;
  for (const int num_tokens : {20, 50}) {  // both ways of sharing work
    for (int layer = 0; layer < tiny.decoder->spec().num_layers; ++layer) {
      AbortAfter abort(layer);
      const SequenceView sequence{0, num_tokens, num_tokens, table};
      const int32_t last_row = num_tokens - 1;
      const auto size = static_cast<size_t>(num_tokens);
      EXPECT_FALSE(tiny.decoder->forward({std::span(tokens).first(size),
                                          std::span(positions).first(size),
                                          {&sequence, 1},
                                          {&last_row, 1},
                                          &abort},
                                         logits));
      ASSERT_TRUE(in_chunks(*tiny.decoder, tokens, 50, table) == expected) << layer;
    }
  }
}

TEST_P(DecoderInvariance, LogitsDependOnEveryTokenOfTheContext) {
  // Without this, a decoder that ignored its input would pass the tests above.
  TinyModelOptions options = GetParam();
  LoadedTiny tiny = load_tiny(options, 2, best_isa());
  auto tokens = tokens_of(8, options.vocab_size, 3);
  const auto before = in_chunks(*tiny.decoder, tokens, 8, table_from(0, 1, 1));
  for (size_t i = 0; i < tokens.size(); ++i) {
    auto changed = tokens;
    changed[i] = (changed[i] + 1) % options.vocab_size;
    EXPECT_FALSE(in_chunks(*tiny.decoder, changed, 8, table_from(0, 1, 1)) == before) << i;
  }
}

std::vector<TinyModelOptions> tiny_models() {
  return {
      {.architecture = "llama", .type = QuantType::kQ4_1},
      {.architecture = "llama", .type = QuantType::kF32, .vocab_size = 112},
      {.architecture = "qwen2", .type = QuantType::kQ8_0},
      {.architecture = "qwen3", .type = QuantType::kQ4_0, .num_heads = 6, .num_kv_heads = 2},
      {.architecture = "gemma3", .type = QuantType::kQ5_0, .num_layers = 7, .num_kv_heads = 1},
  };
}

INSTANTIATE_TEST_SUITE_P(Tiny, DecoderInvariance, testing::ValuesIn(tiny_models()),
                         [](const auto& test) {
                           return test.param.architecture + quant_traits(test.param.type).name;
                         });

}  // namespace
}  // namespace twostroke

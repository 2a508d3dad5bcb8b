// The decoder in exact mode against an independent forward pass: every architecture, tensor type
// and RoPE scaling of the tiny models, every logit and every hidden state. Usage: logits_test
// FOLDER; the folder comes from the fixture tiny_models.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "model/decoder.h"
#include "testing/golden_file.h"

namespace twostroke {
namespace {

constexpr int kSkipped = 77;
constexpr double kBound = 1e-4;  // per logit, absolute

double largest_difference(std::span<const float> found, std::span<const float> golden) {
  double largest = found.size() == golden.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(found.size(), golden.size()); ++i) {
    const double difference = std::abs(double{found[i]} - double{golden[i]});
    // A NaN must not slip through a comparison.
    largest = std::isfinite(difference) ? std::max(largest, difference) : INFINITY;
  }
  return largest;
}

// The largest difference of any logit or hidden state from the golden one.
Result<double> largest_difference(const std::string& model_path, const std::string& golden_path) {
  const GoldenFile golden = TRY(read_golden_file(golden_path));
  const GgufFile file = TRY(GgufFile::open(model_path));
  ThreadPool pool(2);
  const int num_tokens = static_cast<int>(golden.tokens.size());
  const int num_blocks = (num_tokens + kKvBlockTokens - 1) / kKvBlockTokens;
  const auto decoder = TRY(Decoder::load(file, {.num_blocks = num_blocks, .exact = true},
                                         kernels_for(best_isa()), pool));
  std::vector<int32_t> positions(golden.tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  std::vector<BlockId> table(static_cast<size_t>(num_blocks));
  std::iota(table.begin(), table.end(), 0);
  const SequenceView sequence{0, num_tokens, num_tokens, table};
  std::vector<float> logits(golden.logits.size());
  const GoldenFile golden_hidden = TRY(read_golden_file(golden_path + ".hidden"));
  std::vector<float> hidden(golden.tokens.size() * static_cast<size_t>(decoder->hidden_size()));
  decoder->forward({.token_ids = golden.tokens,
                    .positions = positions,
                    .sequences = {&sequence, 1},
                    .logits_rows = positions,
                    .hidden_rows = positions,
                    .hidden = hidden},
                   logits);
  return std::max(largest_difference(logits, golden.logits),
                  largest_difference(hidden, golden_hidden.logits));
}

int run(const std::filesystem::path& folder) {
  int num_models = 0, num_failed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    std::filesystem::path golden = entry.path();
    golden.replace_extension(".golden");
    ++num_models;
    const Result<double> difference = largest_difference(entry.path().string(), golden.string());
    if (!difference.ok()) {
      fmt::print("{}: {}\n", entry.path().filename().string(), difference.error().message);
      ++num_failed;
      continue;
    }
    const bool good = *difference <= kBound;
    fmt::print("{:<28} largest difference {:.2e} {}\n", entry.path().filename().string(),
               *difference, good ? "" : "TOO LARGE");
    num_failed += good ? 0 : 1;
  }
  if (num_models == 0) {
    fmt::print("skipped: no tiny models (TWOSTROKE_PYTHON was not set when they were due)\n");
    return kSkipped;
  }
  fmt::print("{} models, {} failed\n", num_models, num_failed);
  return num_failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace twostroke

int main(int argc, char** argv) {
  return argc == 2 ? twostroke::run(argv[1]) : 2;
}

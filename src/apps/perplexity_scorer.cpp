#include "apps/perplexity_scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace twostroke {
namespace {

struct RowScore {
  double log_normalizer = 0;  // log sum exp of the row
  TokenId best = 0;
};

RowScore score_row(std::span<const float> logits) {
  const auto best = std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - double{*best});
  return {double{*best} + std::log(sum), static_cast<TokenId>(best - logits.begin())};
}

double kl_divergence(std::span<const float> model, const RowScore& model_score,
                     std::span<const float> reference, const RowScore& reference_score) {
  double divergence = 0;
  for (size_t i = 0; i < model.size(); ++i) {
    const double log_p = double{reference[i]} - reference_score.log_normalizer;
    const double log_q = double{model[i]} - model_score.log_normalizer;
    divergence += std::exp(log_p) * (log_p - log_q);
  }
  return divergence;
}

// Runs one chunk through a model with an empty cache and keeps the logits of its second half.
class ChunkRunner {
 public:
  ChunkRunner(Model& model, int context) : model_(model), context_(context) {
    positions_.resize(static_cast<size_t>(context));
    std::iota(positions_.begin(), positions_.end(), 0);
    block_table_.resize(
        static_cast<size_t>((context + model.block_size() - 1) / model.block_size()));
    std::iota(block_table_.begin(), block_table_.end(), 0);
    for (int row = context / 2; row < context - 1; ++row) logits_rows_.push_back(row);
    logits_.resize(logits_rows_.size() * static_cast<size_t>(model.vocab_size()));
  }

  void run(std::span<const TokenId> chunk) {
    const SequenceView sequence{0, context_, context_, block_table_};
    model_.forward({chunk, positions_, {&sequence, 1}, logits_rows_}, logits_);
  }

  size_t num_scored() const { return logits_rows_.size(); }
  std::span<const float> logits(size_t scored) const {
    const size_t vocab_size = static_cast<size_t>(model_.vocab_size());
    return std::span(logits_).subspan(scored * vocab_size, vocab_size);
  }

 private:
  Model& model_;
  int context_;
  std::vector<int32_t> positions_;
  std::vector<BlockId> block_table_;
  std::vector<int32_t> logits_rows_;
  std::vector<float> logits_;
};

struct Sums {
  double nll = 0, reference_nll = 0, divergence = 0;
  int64_t same_top = 0, scored = 0;
};

void add_chunk(const ChunkRunner& model, const ChunkRunner* reference,
               std::span<const TokenId> chunk, Sums& sums) {
  const size_t first = chunk.size() / 2;
  for (size_t i = 0; i < model.num_scored(); ++i) {
    const size_t target = static_cast<size_t>(chunk[first + i + 1]);
    const RowScore score = score_row(model.logits(i));
    sums.nll += score.log_normalizer - double{model.logits(i)[target]};
    ++sums.scored;
    if (reference == nullptr) continue;
    const RowScore exact = score_row(reference->logits(i));
    sums.reference_nll += exact.log_normalizer - double{reference->logits(i)[target]};
    sums.divergence += kl_divergence(model.logits(i), score, reference->logits(i), exact);
    sums.same_top += score.best == exact.best ? 1 : 0;
  }
}

}  // namespace

Result<PerplexityReport> score_perplexity(Model& model, Model* reference,
                                          std::span<const TokenId> tokens,
                                          const PerplexityOptions& options,
                                          const std::function<void(int, int)>& progress) {
  const size_t context = static_cast<size_t>(options.context);
  if (options.context < 2 || options.context > model.max_context_length()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a chunk must have 2 to {} tokens, got {}", model.max_context_length(),
                             options.context),
                 "context"};
  }
  if (tokens.size() < context) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the text has {} tokens, one chunk needs {}", tokens.size(), context),
                 "text"};
  }
  int num_chunks = static_cast<int>(tokens.size() / context);
  if (options.max_chunks > 0) num_chunks = std::min(num_chunks, options.max_chunks);

  ChunkRunner runner(model, options.context);
  std::optional<ChunkRunner> exact;
  if (reference != nullptr) exact.emplace(*reference, options.context);
  Sums sums;
  std::vector<TokenId> chunk(context);
  for (int i = 0; i < num_chunks; ++i) {
    std::copy_n(tokens.begin() + static_cast<std::ptrdiff_t>(i) * options.context, context,
                chunk.begin());
    if (options.first_token != kNoToken) chunk[0] = options.first_token;
    runner.run(chunk);
    if (exact) exact->run(chunk);
    add_chunk(runner, exact ? &*exact : nullptr, chunk, sums);
    if (progress) progress(i + 1, num_chunks);
  }

  const double scored = static_cast<double>(sums.scored);
  PerplexityReport report{.num_chunks = num_chunks,
                          .num_scored_tokens = sums.scored,
                          .perplexity = std::exp(sums.nll / scored)};
  if (exact) {
    report.has_reference = true;
    report.reference_perplexity = std::exp(sums.reference_nll / scored);
    report.mean_kl_divergence = sums.divergence / scored;
    report.top1_agreement = static_cast<double>(sums.same_top) / scored;
  }
  return report;
}

}  // namespace twostroke

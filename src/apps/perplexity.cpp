// `twostroke perplexity`: the accuracy gate's instrument.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/loaded_model.h"
#include "apps/options.h"
#include "apps/perplexity_scorer.h"
#include "apps/report.h"
#include "apps/text_input.h"

namespace twostroke {
namespace {

nlohmann::ordered_json as_json(const PerplexityReport& report, int context) {
  nlohmann::ordered_json out;
  out["perplexity"] = report.perplexity;
  out["context"] = context;
  out["chunks"] = report.num_chunks;
  out["scored_tokens"] = report.num_scored_tokens;
  if (report.has_reference) {
    out["exact_perplexity"] = report.reference_perplexity;
    out["perplexity_delta_percent"] =
        100.0 * (report.perplexity / report.reference_perplexity - 1.0);
    out["mean_kl_divergence"] = report.mean_kl_divergence;
    out["top1_agreement"] = report.top1_agreement;
  }
  return out;
}

void print_text(const PerplexityReport& report) {
  fmt::print("perplexity {:.4f} over {} tokens in {} chunks\n", report.perplexity,
             report.num_scored_tokens, report.num_chunks);
  if (!report.has_reference) return;
  fmt::print("exact model {:.4f}: {:+.3f} %, mean KL divergence {:.6f}, same top token {:.3f} %\n",
             report.reference_perplexity,
             100.0 * (report.perplexity / report.reference_perplexity - 1.0),
             report.mean_kl_divergence, 100.0 * report.top1_agreement);
}

Status perplexity(const PerplexityOptionsCli& options) {
  const std::string text = TRY(read_text_file(options.text_path));
  ModelOptions model_options = options.model;
  model_options.max_step_tokens = std::max(options.context, 512);
  const int blocks = (options.context + kKvBlockTokens - 1) / kKvBlockTokens;
  const auto silent = [](const std::string&) {};
  LoadedModel model = TRY(load_model(model_options, LoadText::kTokenizer, blocks, silent));
  LoadedModel exact;
  if (options.against_exact) {
    model_options.exact = true;
    exact = TRY(load_model(model_options, LoadText::kNothing, blocks, silent));
  }
  const std::vector<TokenId> tokens =
      model.tokenizer->encode(text, {.add_special = true, .parse_special = false});
  PerplexityOptions score{.context = options.context, .max_chunks = options.chunks};
  if (model.tokenizer->adds_bos()) score.first_token = model.tokenizer->bos_id();
  const bool show = stderr_is_terminal() && !options.json;
  const PerplexityReport report = TRY(
      score_perplexity(*model.decoder, exact.decoder.get(), tokens, score, [&](int done, int all) {
        if (show) fmt::print(stderr, "\r{}/{} chunks", done, all);
      }));
  if (show) fmt::print(stderr, "\r\n");
  if (options.json) {
    fmt::print("{}\n", as_json(report, options.context).dump());
  } else {
    print_text(report);
  }
  return {};
}

}  // namespace

int run_perplexity(const PerplexityOptionsCli& options) {
  const Status status = perplexity(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke

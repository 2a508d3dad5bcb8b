// `twostroke bench`: both phases alone, beside the limits of the machine measured in the same run.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/bench_tests.h"
#include "apps/loaded_model.h"
#include "apps/memory_probe.h"
#include "apps/model_paths.h"
#include "apps/options.h"
#include "apps/report.h"

namespace twostroke {
namespace {

std::vector<BenchTest> tests_of(const BenchOptions& options) {
  std::vector<BenchTest> tests;
  for (const int depth : options.depths) {
    for (const int prompt : options.prompts) {
      if (prompt > 0) tests.push_back({.prompt = prompt, .depth = depth});
    }
    for (const int batch : options.batches) {
      for (const int generate : options.generates) {
        if (generate > 0) tests.push_back({.generate = generate, .batch = batch, .depth = depth});
      }
    }
  }
  return tests;
}

struct Limits {
  double read_bytes_per_second = 0;
  double macs_per_second = 0;
};

nlohmann::ordered_json row_json(const BenchRow& row, const Limits& limits) {
  nlohmann::ordered_json out;
  out["test"] = row.test.name();
  out["tokens_per_second"] = row.median;
  out["samples"] = row.tokens_per_second;
  out["relative_spread"] = row.relative_spread;
  out["gmacs_per_second"] = row.gmacs_per_second;
  out["percent_of_kernel_peak"] = 100e9 * row.gmacs_per_second / limits.macs_per_second;
  if (row.test.generate > 0) {
    out["gigabytes_per_second"] = row.gigabytes_per_second;
    out["percent_of_read_bandwidth"] =
        100e9 * row.gigabytes_per_second / limits.read_bytes_per_second;
  }
  return out;
}

void print_row(const BenchRow& row, const Limits& limits) {
  std::string rate;
  if (row.test.generate > 0) {
    rate = fmt::format("{:6.1f} GB/s {:4.0f} %", row.gigabytes_per_second,
                       100e9 * row.gigabytes_per_second / limits.read_bytes_per_second);
  }
  fmt::print("{:<18} {:>10.1f} ± {:>4.1f} % {:>8.1f} GMAC/s {:>4.0f} %  {}\n", row.test.name(),
             row.median, 100 * row.relative_spread, row.gmacs_per_second,
             100e9 * row.gmacs_per_second / limits.macs_per_second, rate);
}

Status bench(const BenchOptions& options) {
  const std::vector<BenchTest> tests = tests_of(options);
  int blocks = 1;
  ModelOptions model_options = options.model;
  for (const BenchTest& test : tests) {
    blocks = std::max(blocks, bench_blocks(test));
    model_options.max_step_tokens = std::max(model_options.max_step_tokens, test.batch);
  }
  LoadedModel model =
      TRY(load_model(model_options, LoadText::kNothing, blocks, [](const std::string&) {}));
  Decoder& decoder = *model.decoder;
  for (const BenchTest& test : tests) {
    if (test.depth + test.prompt + test.generate > decoder.max_context_length()) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("{} needs a context of {} tokens, the model has {}", test.name(),
                      test.depth + test.prompt + test.generate, decoder.max_context_length()),
          "depth"};
    }
  }
  const Kernels& kernels = kernels_for(TRY(isa_from_name(options.model.isa)));
  const Limits limits{
      TRY(probe_read_bandwidth(*model.pool)),
      probe_matmul_rate(kernels, decoder.weights().layers()[0].gate_up, *model.pool)};
  if (!options.json) {
    fmt::print("{} · {} · {} threads · reads {:.1f} GB/s · kernel {:.0f} GMAC/s\n",
               model_id_of(model.path), kernels.name, model.pool->num_threads(),
               limits.read_bytes_per_second / 1e9, limits.macs_per_second / 1e9);
    fmt::print("{:<18} {:>10} {:>8} {:>15} {:>6}  {}\n", "test", "tokens/s", "", "", "peak",
               "memory read");
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const BenchTest& test : tests) {
    const BenchRow row = run_bench_test(decoder, test, options.repetitions);
    if (options.json) {
      rows.push_back(row_json(row, limits));
    } else {
      print_row(row, limits);
      std::fflush(stdout);
    }
  }
  if (options.json) {
    nlohmann::ordered_json out;
    out["model"] = model_id_of(model.path);
    out["isa"] = kernels.name;
    out["threads"] = model.pool->num_threads();
    out["read_gigabytes_per_second"] = limits.read_bytes_per_second / 1e9;
    out["kernel_gmacs_per_second"] = limits.macs_per_second / 1e9;
    out["rows"] = std::move(rows);
    fmt::print("{}\n", out.dump());
  }
  return {};
}

}  // namespace

int run_bench(const BenchOptions& options) {
  const Status status = bench(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke

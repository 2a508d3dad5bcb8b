// A run as one JSON object: the keys of `vllm bench serve`, so that what reads those reads these,
// and all that they have no key for under "twostroke".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measure/json_value.h"
#include "measure/load_config.h"
#include "measure/report/load_summary.h"
#include "measure/report/run_checks.h"

namespace twostroke {

// What only the caller knows: this room has no wall clock and no version.
struct RunAbout {
  std::string date;     // "20261125-101500", as vLLM writes it
  std::string label;    // the user's
  std::string version;  // of this program
};

struct RunReport {
  const LoadConfig& config;
  const LoadResult& result;
  const LoadSummary& summary;
  const std::vector<RunCheck>& checks;
  const RunAbout& about;
};

// JSON has no infinity: a percentile that a failure reaches is null. `detailed` adds vLLM's lists
// (input_lens, output_lens, ttfts, itls, …; seconds) beside our own records, which are always
// there.
Json result_json(const RunReport& report, bool detailed);

// The config, as it was asked: enough to run it again (not the key).
Json config_json(const LoadConfig& config);

// From a JSON result, or from the lines of --requests-jsonl. Errors name file and place.
Result<LoadResult> read_result(const std::string& path);

Status write_text_file(const std::string& path, std::string_view text);

}  // namespace twostroke

// From what clients recorded, now or long ago, to the plain numbers that are compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "measure/client_record.h"
#include "measure/decide/samples.h"
#include "measure/json_value.h"
#include "measure/load_run.h"

namespace twostroke {

RequestSample sample_of(const ClientRecord& record);
ArmRun arm_run_of(const LoadResult& result);

// One request of a result file: ok, ttft_ms, tpot_ms, e2el_ms, prompt_tokens, cached_tokens,
// output_tokens, itl_ms or chunk_at_ms and chunk_tokens, text. A row without a time is a failed
// one.
RequestSample sample_from_row(const Json& row);

constexpr size_t kMaxResultFileBytes = size_t{512} << 20;
// The runs in a result file: one JSON document, or JSON lines. An object with "requests"
// (ours), or with "ttfts", "itls", "output_lens" (seconds; vLLM's detailed results), is a run;
// lines that are requests make one run together. kInvalidArgument says what was found instead.
Result<std::vector<ArmRun>> parse_result_runs(std::string_view text);
Result<std::vector<ArmRun>> read_result_runs(const std::string& path);

}  // namespace twostroke

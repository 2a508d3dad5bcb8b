// A MetricSummary from samples.
#pragma once

#include <string>
#include <vector>

#include "measure/report/load_summary.h"

namespace twostroke {

// One sample per request; +inf: it failed. NaN is left out.
MetricSummary summarize_requests(std::string name, std::vector<double> values,
                                 const std::vector<double>& percentiles);

// Many samples per request: what is within one request is not independent, so intervals come from
// drawing whole requests again (200 times).
MetricSummary summarize_tokens(std::string name, const std::vector<std::vector<double>>& by_request,
                               const std::vector<double>& percentiles);

}  // namespace twostroke

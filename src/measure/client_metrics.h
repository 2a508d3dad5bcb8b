// From one record to the numbers people compare. The formulas are printed in every report; they
// are kMetricFormulas, and docs/measuring.md says why they are these. Milliseconds. A failed
// request takes forever (+inf); what a request cannot have (the TPOT of one token) is kUnknown.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "measure/client_record.h"

namespace twostroke {

struct ClientMetrics {
  double ttft_ms = kUnknown;
  double tpot_ms = kUnknown;
  double e2el_ms = kUnknown;
  double ttft_from_schedule_ms = kUnknown;
  double e2el_from_schedule_ms = kUnknown;
  double ttfo_ms = kUnknown;          // first answer text that is not reasoning
  double client_queue_ms = kUnknown;  // scheduled → sent
  double connect_ms = kUnknown;       // sent → connected
};

ClientMetrics metrics_of(const ClientRecord& record);

// Gaps between token steps: a chunk of k tokens that came g after the one before is k gaps of g/k.
// Empty for a failed request.
std::vector<double> itl_ms(const ClientRecord& record);
// Gaps between chunks that brought tokens.
std::vector<double> icl_ms(const ClientRecord& record);

// Limits a request must keep, all of them, to be good. kUnknown: no such limit.
struct Slo {
  double ttft_ms = kUnknown;
  double tpot_ms = kUnknown;
  double itl_ms = kUnknown;  // the request's longest gap between tokens
  double e2el_ms = kUnknown;

  bool is_set() const;
};

// A failed request meets nothing; a TPOT of one token meets every TPOT limit.
bool meets(const ClientRecord& record, const Slo& slo);

struct MetricFormula {
  std::string_view name;
  std::string_view formula;
};
inline constexpr std::array<MetricFormula, 6> kMetricFormulas = {{
    {"ttft", "first chunk with text - sent"},
    {"tpot",
     "(last token chunk - first token chunk) / (output tokens - tokens in the first chunk)"},
    {"itl",
     "gap between token chunks / tokens in the later one, once per token, over all requests"},
    {"icl", "gap between chunks that brought tokens"},
    {"e2el", "last token chunk - sent"},
    {"*_from_schedule", "the same, from when the request was due instead of sent"},
}};

}  // namespace twostroke

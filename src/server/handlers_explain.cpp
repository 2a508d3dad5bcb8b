// GET /v1/requests/{id}/explain: why a request was slow, and what would have helped.
#include <cmath>

#include "server/error_response.h"
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/observed_request.h"
#include "server/query.h"

namespace twostroke {
namespace {

double to_ms(int64_t ns) {
  return std::round(double(ns) / 1e3) / 1e3;
}

OrderedJson finding_json(const Finding& finding, const PromptReport& report) {
  OrderedJson spans = OrderedJson::array();
  for (const size_t i : finding.spans) {
    spans.push_back({{"span", i},
                     {"source", report.spans[i].source},
                     {"tokens", report.spans[i].num_tokens},
                     {"prefill_ms", to_ms(report.costs[i].prefill_ns)}});
  }
  OrderedJson requests = OrderedJson::array();
  for (const Culprit& culprit : finding.culprits) {
    requests.push_back(
        {{"request", culprit.request}, {"phase", culprit.phase}, {"ms", to_ms(culprit.ns)}});
  }
  return {{"lever", lever_name(finding.lever)},
          {"phase", finding.is_ttft ? "ttft" : "decode"},
          {"title", finding.title},
          {"detail", finding.detail},
          {"advice", finding.advice},
          {"gain_ms", to_ms(finding.gain_ns)},
          {"share", std::round(1e4 * finding.share) / 1e4},
          {"known_by", finding.known_by},
          {"spans", std::move(spans)},
          {"requests", std::move(requests)}};
}

OrderedJson percent_or_null(double percent) {
  if (!(percent > 0)) return nullptr;
  return std::round(10 * percent) / 10;
}

Result<Reply> explain_request(const HttpRequest& http, const Serving& serving) {
  ExplainTargets targets;
  targets.ttft_ms = TRY(query_number(http.query, "target_ttft_ms", targets.ttft_ms, 0, 1e9));
  targets.tpot_ms = TRY(query_number(http.query, "target_tpot_ms", targets.tpot_ms, 0, 1e9));
  const ObservedRequest request = TRY(find_observed(http.path, serving));
  const ExplainInput input = explain_input_of(request, serving.context->engine.observer());
  const Verdict verdict = explain(input, targets);
  OrderedJson findings = OrderedJson::array();
  for (const Finding& finding : verdict.findings) {
    findings.push_back(finding_json(finding, request.report));
  }
  const RequestAbout& about = request.record->about();
  Reply reply;
  reply.body = dump_json(
      {{"object", "explain"},
       {"request", about.id},
       {"reply_id", about.reply_id.empty() ? OrderedJson() : OrderedJson(about.reply_id)},
       {"is_over", request.record->is_over()},
       {"verdict", verdict.headline},
       {"healthy", verdict.findings.empty()},
       {"findings", std::move(findings)},
       {"intervals_ms",
        {{"ttft", to_ms(input.intervals.ttft_ns)},
         {"decode", to_ms(input.intervals.decode_ns)},
         {"tpot", to_ms(static_cast<int64_t>(input.intervals.tpot_ns))}}},
       {"limits",
        {{"prefill_percent_of_peak", percent_or_null(input.prefill_percent_of_peak)},
         {"decode_percent_of_bandwidth", percent_or_null(input.decode_percent_of_bandwidth)},
         {"prefill", verdict.prefill_limit},
         {"decode", verdict.decode_limit}}},
       {"targets", {{"ttft_ms", targets.ttft_ms}, {"tpot_ms", targets.tpot_ms}}},
       {"text", verdict_text(verdict)}});
  return reply;
}

}  // namespace

Reply handle_explain(const HttpRequest& request, const Serving& serving) {
  Result<Reply> reply = explain_request(request, serving);
  return reply.ok() ? std::move(reply).value() : error_reply(reply.error());
}

}  // namespace twostroke

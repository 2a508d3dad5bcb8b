// `twostroke explain`: asks the server that ran the request, or reads a saved reply.
// `twostroke what-if`: asks the server.
#include "apps/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "apps/report.h"
#include "apps/saved_phases.h"
#include "apps/text_input.h"
#include "measure/http_client.h"
#include "measure/json_value.h"

namespace twostroke {
namespace {

// The reply's JSON, or what the server said was wrong.
Result<Json> json_of(const HttpReply& reply) {
  const Result<Json> json = parse_json_text(reply.body);
  if (reply.ok()) return json;
  const std::string said = json.ok() ? json_string(json_member(*json, "error"), "message") : "";
  return Error{
      reply.head.status == 404 ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument,
      said.empty() ? fmt::format("the server answered with status {}", reply.head.status) : said,
      ""};
}

// What stands in a path: ids are letters, digits, '-', '_' and '.'.
Status check_id(const std::string& id) {
  const bool fits = !id.empty() && id.size() <= 256 && std::ranges::all_of(id, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (fits) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("\"{}\" is neither a file nor a request's id", id), "request"};
}

Status explain_request(const ExplainOptions& options) {
  TRY(check_id(options.subject));
  HttpClient client(TRY(parse_server_url(options.url)));
  const HttpReply reply = TRY(
      client.get(fmt::format("/v1/requests/{}/explain?target_ttft_ms={}&target_tpot_ms={}",
                             options.subject, options.targets.ttft_ms, options.targets.tpot_ms)));
  const Json verdict = TRY(json_of(reply));
  if (options.json) {
    fmt::print("{}\n", verdict.dump(2));
  } else {
    fmt::print("{}", json_string(verdict, "text"));
  }
  return {};
}

Status explain_file(const ExplainOptions& options) {
  const std::string text = TRY(read_text_file(options.subject));
  const Json saved = TRY(parse_json_text(text));
  const Verdict verdict = explain(TRY(input_of_saved_phases(saved)), options.targets);
  if (!options.json) {
    fmt::print("{}", verdict_text(verdict));
    return {};
  }
  Json findings = Json::array();
  for (const Finding& finding : verdict.findings) {
    findings.push_back({{"lever", lever_name(finding.lever)},
                        {"phase", finding.is_ttft ? "ttft" : "decode"},
                        {"title", finding.title},
                        {"detail", finding.detail},
                        {"advice", finding.advice},
                        {"gain_ms", static_cast<double>(finding.gain_ns / 1000) / 1e3},
                        {"known_by", finding.known_by}});
  }
  const Json out = {
      {"object", "explain"},
      {"verdict", verdict.headline},
      {"healthy", verdict.findings.empty()},
      {"findings", std::move(findings)},
      {"limits", {{"prefill", verdict.prefill_limit}, {"decode", verdict.decode_limit}}}};
  fmt::print("{}\n", out.dump(2));
  return {};
}

void print_size(const char* what, const Json& size, const std::string& times) {
  fmt::print("{:<10} {}   prompt {} ({} cached), output {}, batch {}\n", what, times,
             json_int(size, "prompt_tokens", 0), json_int(size, "cached_tokens", 0),
             json_int(size, "output_tokens", 0), json_int(size, "batch", 1));
}

std::string with_bars(const Json& estimate) {
  return fmt::format("{:.1f} ms ({:.1f} to {:.1f})", json_number(estimate, "value", 0),
                     json_number(estimate, "low", 0), json_number(estimate, "high", 0));
}

std::string compared(const Json& both) {
  return fmt::format("{:.1f} ms (predicted {:.1f}, {:+.1f} %)", json_number(both, "measured", 0),
                     json_number(both, "predicted", 0), 100 * json_number(both, "error", 0));
}

void print_what_if(const Json& answer) {
  const Json& measured = json_member(answer, "measured");
  print_size("as it was", json_member(measured, "size"),
             fmt::format("TTFT {:.1f} ms, TPOT {:.1f} ms", json_number(measured, "ttft_ms", 0),
                         json_number(measured, "tpot_ms", 0)));
  const Json& predicted = json_member(answer, "predicted");
  print_size("what if", json_member(predicted, "size"),
             fmt::format("TTFT {}, TPOT {}", with_bars(json_member(predicted, "ttft_ms")),
                         with_bars(json_member(predicted, "tpot_ms"))));
  const Json& verified = json_member(answer, "verified");
  if (verified.is_object()) {
    fmt::print("{:<10} TTFT {}, TPOT {}\n", "verified", compared(json_member(verified, "ttft_ms")),
               compared(json_member(verified, "tpot_ms")));
  }
  fmt::print("{}; it assumes {}\n", json_string(answer, "known_by"),
             json_string(answer, "assumes"));
}

Status what_if(const WhatIfOptions& options) {
  TRY(check_id(options.request));
  Json body = {{"cache", options.cache}, {"verify", options.verify}, {"drop", options.drop}};
  if (options.prompt_tokens > 0) body["prompt_tokens"] = options.prompt_tokens;
  if (options.cached_tokens >= 0) body["cached_tokens"] = options.cached_tokens;
  if (options.output_tokens > 0) body["output_tokens"] = options.output_tokens;
  if (options.batch > 0) body["batch"] = options.batch;
  HttpClient client(TRY(parse_server_url(options.url)));
  const HttpReply reply =
      TRY(client.post(fmt::format("/v1/requests/{}/what-if", options.request), json_line(body)));
  const Json answer = TRY(json_of(reply));
  if (options.json) {
    fmt::print("{}\n", answer.dump(2));
  } else {
    print_what_if(answer);
  }
  return {};
}

}  // namespace

int run_explain(const ExplainOptions& options) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(options.subject, error);
  if (!is_file && is_server_address(options.subject)) {
    ExplainServerOptions server = options.server;
    server.url = options.subject;
    server.json = options.json;
    return run_explain_server(server);
  }
  const Status status = is_file ? explain_file(options) : explain_request(options);
  return status.ok() ? 0 : report_failure(status.error());
}

int run_what_if(const WhatIfOptions& options) {
  const Status status = what_if(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke

// A report from outside as text and as JSON.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "measure/outside/outside_report.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json estimate_json(const OutsideEstimate& estimate) {
  Json out = {{"value", number(estimate.value)}, {"interval", nullptr}};
  if (estimate.interval) {
    out["interval"] = {number(estimate.interval->low), number(estimate.interval->high)};
  }
  return out;
}

Json line_json(const std::optional<LineFit>& line) {
  if (!line) return nullptr;
  return {{"fixed_ms", estimate_json(line->fixed)},
          {"ms_per_token", estimate_json(line->slope)},
          {"bend", number(line->bend)}};
}

Json optional_json(const std::optional<double>& value) {
  return value ? number(*value) : Json(nullptr);
}

const char* cache_name(CacheAnswer answer) {
  switch (answer) {
    case CacheAnswer::kReuses:
      return "reuses";
    case CacheAnswer::kDoesNot:
      return "does not";
    case CacheAnswer::kUndecided:
      return "unknown";
  }
  return "";
}

}  // namespace

Json outside_json(const OutsideReport& report) {
  Json out;
  out["schema_version"] = 1;
  out["url"] = report.url;
  out["model"] = report.model;
  out["software"] = report.software;
  out["round_trip_ms"] = optional_json(report.round_trip_ms);
  out["prefill"] = line_json(report.prefill);
  out["overhead_ms"] = report.overhead_ms ? estimate_json(*report.overhead_ms) : Json(nullptr);
  out["decode"] = line_json(report.decode);
  out["tokens_per_chunk"] =
      report.tokens_per_chunk > 0 ? number(report.tokens_per_chunk) : Json(nullptr);
  out["prefix_cache"] = {
      {"answer", cache_name(report.cache)},
      {"saves", report.cache_saves ? estimate_json(*report.cache_saves) : Json(nullptr)},
      {"cached_share", optional_json(report.cached_share)}};
  out["concurrency"] = Json::array();
  for (const auto& at : report.concurrency) {
    out["concurrency"].push_back({{"requests", at.concurrency},
                                  {"ttft_p50_ms", number(at.ttft_ms)},
                                  {"tpot_p50_ms", number(at.tpot_ms)},
                                  {"output_tokens_per_s", number(at.output_tokens_per_s)},
                                  {"served_at_once", at.served_at_once}});
  }
  out["slots"] = report.slots > 0 ? Json(report.slots) : Json(nullptr);
  out["findings"] = Json::array();
  for (const auto& finding : report.findings) {
    out["findings"].push_back({{"text", finding.text}, {"known_by", finding.known_by}});
  }
  out["unknown"] = report.unknown;
  out["problems"] = report.problems;
  return out;
}

std::string outside_text(const OutsideReport& report) {
  std::string out = fmt::format("{} · {}{}{}\n\n", report.url, report.model,
                                report.software.empty() ? "" : " · ", report.software);
  for (const auto& finding : report.findings) {
    out += fmt::format("- {} ({})\n", finding.text, finding.known_by);
  }
  if (!report.concurrency.empty()) {
    out += fmt::format("\n  {:>8} {:>12} {:>12} {:>12} {:>15}\n", "at once", "TTFT p50", "TPOT p50",
                       "tokens/s", "began together");
    for (const auto& at : report.concurrency) {
      out += fmt::format("  {:>8} {:>9.1f} ms {:>9.2f} ms {:>12.1f} {:>15}\n", at.concurrency,
                         at.ttft_ms, at.tpot_ms, at.output_tokens_per_s, at.served_at_once);
    }
  }
  out += "\nWhat cannot be known from outside:\n";
  for (const std::string& unknown : report.unknown) out += "- " + unknown + "\n";
  for (const std::string& problem : report.problems) out += "problem: " + problem + "\n";
  return out;
}

}  // namespace twostroke

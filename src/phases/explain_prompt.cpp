#include "phases/explain_prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "base/check.h"

namespace twostroke {
namespace {

// Counted in tokens, so that the same prompt gets the same verdict on a fast machine and a slow
// one.
constexpr int kManyTokens = 128;
constexpr double kShareOfTtft = 0.20;
constexpr int64_t kSmallLossNs = 5'000'000;
constexpr double kShareOfLoss = 0.10;

struct Words {
  const char* what;
  const char* advice;
};

Words words_of(Lever lever) {
  switch (lever) {
    case Lever::kHistory:
      return {
          "earlier turns of the conversation",
          "drop or summarise old turns, or send them unchanged so that the prefix cache has them"};
    case Lever::kDocuments:
      return {"documents", "retrieve fewer or shorter passages, best ones first"};
    case Lever::kSchema:
      return {"a JSON schema in the prompt",
              "use response_format, which needs no tokens, or a smaller schema"};
    case Lever::kTools:
      return {"definitions of tools", "offer fewer tools, with shorter descriptions"};
    case Lever::kToolTraces:
      return {"calls and results of tools", "cut results down before they go back to the model"};
    case Lever::kSystem:
      return {"the system message",
              "shorten it, or keep it unchanged so that the prefix cache has it"};
    default:
      return {"the last message", "shorten it"};
  }
}

bool starts_with(const std::string& text, std::string_view start) {
  return text.starts_with(start);
}

// The index in "message[7]", or -1.
int message_index(const std::string& source) {
  constexpr std::string_view kStart = "message[";
  int index = -1;
  if (source.starts_with(kStart)) {
    std::from_chars(source.data() + kStart.size(), source.data() + source.size(), index);
  }
  return index;
}

int last_message(const std::vector<PromptSpan>& spans) {
  int last = -1;
  for (const PromptSpan& span : spans) last = std::max(last, message_index(span.source));
  return last;
}

// A message that only calls tools is a trace too: what follows it is the tool's answer.
bool is_tool_trace(const std::vector<PromptSpan>& spans, const PromptSpan& span) {
  if (span.role == "tool" || span.role == "function") return true;
  if (span.role != "assistant") return false;
  const int index = message_index(span.source);
  return std::ranges::any_of(spans, [&](const PromptSpan& other) {
    const bool follows = message_index(other.source) == index + 1;
    return follows && (other.role == "tool" || other.role == "function");
  });
}

std::optional<Lever> lever_of(const std::vector<PromptSpan>& spans, const PromptSpan& span,
                              int last) {
  if (span.source == "template") return std::nullopt;
  if (span.source == "system") return Lever::kSystem;
  if (span.source == "tools") return Lever::kTools;
  if (span.source == "schema") return Lever::kSchema;
  if (starts_with(span.source, "document")) return Lever::kDocuments;
  if (is_tool_trace(spans, span)) return Lever::kToolTraces;
  return message_index(span.source) == last ? Lever::kLastMessage : Lever::kHistory;
}

// "message[3] (user, 812 tokens), …": the three most expensive.
std::string biggest_of(const ExplainInput& input, std::vector<size_t> spans) {
  std::ranges::stable_sort(spans, std::greater<>{},
                           [&](size_t i) { return input.costs[i].prefill_ns; });
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(3, spans.size()); ++i) {
    const PromptSpan& span = input.spans[spans[i]];
    const std::string& name = span.label.empty() ? span.role : span.label;
    out += fmt::format("{}{}{} {:.0f} ms", out.empty() ? "" : ", ", span.source,
                       name.empty() ? "" : fmt::format(" ({})", name),
                       double(input.costs[spans[i]].prefill_ns) / 1e6);
  }
  return out;
}

struct Group {
  std::vector<size_t> spans;
  int computed_tokens = 0;
  int64_t ns = 0;  // without what had been computed before
};

Finding finding_of(const ExplainInput& input, Lever lever, const Group& group) {
  const Words words = words_of(lever);
  Finding finding;
  finding.lever = lever;
  finding.is_ttft = true;
  finding.gain_ns = group.ns;
  finding.spans = group.spans;
  finding.title = fmt::format("reading {}", words.what);
  finding.detail = fmt::format("{} of {} computed prompt tokens: {}", group.computed_tokens,
                               input.num_prompt_tokens - input.num_cached_tokens,
                               biggest_of(input, group.spans));
  finding.advice = words.advice;
  finding.known_by =
      "estimated: this request's measured prefill, shared among its tokens by the "
      "cost model" +
      cost_model_record(input.cost_model);
  return finding;
}

std::optional<Finding> loss_of_cache(const ExplainInput& input) {
  int64_t ns = 0;
  std::vector<size_t> spans;
  for (size_t i = 0; i < input.cache.span_ns.size(); ++i) {
    ns += input.cache.span_ns[i];
    if (input.cache.span_ns[i] > 0) spans.push_back(i);
  }
  if (ns < kSmallLossNs || double(ns) < kShareOfLoss * double(input.intervals.ttft_ns)) {
    return std::nullopt;
  }
  Finding finding;
  finding.lever = Lever::kCacheBreak;
  finding.is_ttft = true;
  finding.gain_ns = ns;
  finding.spans = std::move(spans);
  finding.title = input.cache.reason == "evicted"
                      ? "its prefix had been computed before, but was evicted"
                      : "the prefix cache was broken";
  finding.detail = !input.cache.sentence.empty()
                       ? input.cache.sentence
                       : fmt::format("{} tokens were computed again", input.cache.tokens);
  finding.advice = input.cache.reason == "evicted"
                       ? "raise --kv-memory, so that more prefixes stay"
                       : "put what changes from request to request after what does not";
  finding.known_by =
      "estimated: this request's measured prefill of those tokens, by the cost model" +
      cost_model_record(input.cost_model);
  return finding;
}

}  // namespace

std::string_view lever_name(Lever lever) {
  constexpr std::array<std::string_view, kNumLevers> kNames = {
      "history",          "documents",    "schema",      "tools",        "tool_traces",
      "system",           "last_message", "cache_break", "queueing",     "batch_limit",
      "prefill_batching", "cold_start",   "intake",      "interference", "decode_batch",
      "kv_pressure",      "sampling",     "slow_client", "bandwidth",    "compute",
      "busy_machine"};
  const auto index = static_cast<size_t>(lever);
  CHECK_LT(index, kNames.size());
  return kNames[index];
}

std::string cost_model_record(const CostModelError& error) {
  if (error.num_steps == 0) return "";
  return fmt::format(" (its recent error: median {:.1f} %, 95 % within {:.1f} %, {} steps)",
                     100 * error.median, 100 * error.p95, error.num_steps);
}

std::vector<Finding> findings_of_prompt(const ExplainInput& input) {
  CHECK_EQ(input.spans.size(), input.costs.size());
  const int last = last_message(input.spans);
  std::map<Lever, Group> groups;
  for (size_t i = 0; i < input.spans.size(); ++i) {
    const auto lever = lever_of(input.spans, input.spans[i], last);
    if (!lever || input.costs[i].computed_tokens == 0) continue;
    Group& group = groups[*lever];
    group.spans.push_back(i);
    group.computed_tokens += input.costs[i].computed_tokens;
    const int64_t lost = i < input.cache.span_ns.size() ? input.cache.span_ns[i] : 0;
    group.ns += std::max<int64_t>(0, input.costs[i].prefill_ns - lost);
  }
  std::vector<Finding> findings;
  for (const auto& [lever, group] : groups) {
    const bool is_long = group.computed_tokens >= kManyTokens;
    const bool counts = double(group.ns) >= kShareOfTtft * double(input.intervals.ttft_ns);
    if (is_long && counts) findings.push_back(finding_of(input, lever, group));
  }
  if (auto loss = loss_of_cache(input)) findings.push_back(*std::move(loss));
  return findings;
}

}  // namespace twostroke

#include "server/prompt_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace twostroke {
namespace {

constexpr uint32_t kMaxQuoted = 40;  // characters of a changed text
constexpr uint32_t kMaxWord = 16;    // characters before and after it, to the word's ends

double to_ms(int64_t ns) {
  return std::round(double(ns) / 1e3) / 1e3;
}

std::string with_commas(int n) {
  std::string digits = std::to_string(n);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

// "the system message", "message[3] (user)", "document[1] (bees)"
std::string name_of(const PromptSpan& span) {
  if (span.source == "system") return "the system message";
  if (span.source == "template") return "the template's own text";
  if (span.source == "tools") return "the definition of the tools";
  if (span.source == "schema") return "the schema";
  const std::string& more = span.label.empty() ? span.role : span.label;
  return more.empty() ? span.source : fmt::format("{} ({})", span.source, more);
}

// Characters [first, end) of a text with the rest of the words they are in, cut to what is worth
// quoting.
std::string quote(std::string_view text, uint32_t first, uint32_t end) {
  std::vector<size_t> starts;  // byte of each character
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xC0U) != 0x80U) starts.push_back(i);
  }
  const auto size = static_cast<uint32_t>(starts.size());
  starts.push_back(text.size());
  const auto is_space = [&](uint32_t i) {
    return text[starts[i]] == ' ' || text[starts[i]] == '\n';
  };
  first = std::min(first, size);
  end = std::clamp(end, first, size);
  for (uint32_t i = 0; i < kMaxWord && first > 0 && !is_space(first - 1); ++i) --first;
  for (uint32_t i = 0; i < kMaxWord && end < size && !is_space(end); ++i) ++end;
  const bool is_cut = end - first > kMaxQuoted;
  if (is_cut) end = first + kMaxQuoted;
  return fmt::format("`{}{}`", text.substr(starts[first], starts[end] - starts[first]),
                     is_cut ? "…" : "");
}

class Reporter {
 public:
  Reporter(const ArchivedPrompt& prompt, const PromptArchive& archive,
           const EngineObserver& observer, std::string_view own_text)
      : prompt_(prompt),
        own_text_(own_text.empty() ? prompt.text : own_text),
        model_(observer.cost_model()),
        earlier_(archive.earlier_than(prompt)) {
    if (const auto record = observer.journal().find(prompt.id)) read_record(*record);
    for (const auto& one : earlier_) was_computed_.push_back(was_computed(observer, one->id));
  }

  PromptReport run(int block_tokens) {
    PromptReport report;
    report.spans = prompt_.traced.spans;
    report.costs = costs_of_spans(report.spans, num_cached_, chunks_, model_);
    std::vector<EarlierPrompt> others;
    for (size_t i = 0; i < was_computed_.size(); ++i) {
      others.push_back({&earlier_[i]->tokens, was_computed_[i]});
    }
    report.cache = judge_cache(prompt_.tokens, others, num_cached_, std::max(1, block_tokens),
                               prompt_.cache_prompt, prompt_.has_salt);
    describe_loss(report);
    return report;
  }

 private:
  void read_record(const RequestRecord& record) {
    for (const PrefillChunk& chunk : record.chunks()) {
      if (chunk.kind == ChunkKind::kRecomputed) continue;
      chunks_.push_back(
          {chunk.first_token, chunk.num_tokens, chunk.own_ns, chunk.kind == ChunkKind::kAborted});
    }
    const RequestProgress progress = record.progress();
    num_cached_ = progress.num_cached_tokens;
    scheduled_ns_ = progress.events.scheduled_ns;
  }

  // Its prefill was over when this request was let in.
  bool was_computed(const EngineObserver& observer, RequestId id) const {
    const auto record = observer.journal().find(id);
    if (record == nullptr) return true;
    const int64_t first_token_ns = record->progress().events.first_token_ns;
    return first_token_ns >= 0 && (scheduled_ns_ < 0 || first_token_ns <= scheduled_ns_);
  }

  void describe_loss(PromptReport& report) const {
    CacheLoss& loss = report.loss;
    loss.reason = cache_reason_name(report.cache.reason);
    loss.span_ns.assign(report.spans.size(), 0);
    int64_t lost_ns = 0;
    for (const TokenRange& range : report.cache.again) {
      loss.tokens += range.num_tokens;
      const int end = range.first_token + range.num_tokens;
      for (size_t i = 0; i < report.spans.size(); ++i) {
        const PromptSpan& span = report.spans[i];
        const int from = std::max(range.first_token, span.first_token);
        const int until = std::min(end, span.first_token + span.num_tokens);
        if (from >= until) continue;
        const int64_t ns = prefill_ns_of(from, until, chunks_, model_);
        loss.span_ns[i] += ns;
        lost_ns += ns;
      }
    }
    if (report.cache.again.empty() || report.cache.earlier < 0) return;
    const ArchivedPrompt& other = *earlier_[static_cast<size_t>(report.cache.earlier)];
    if (report.cache.reason == CacheReason::kDiverged) {
      describe_difference(report, other, lost_ns);
    } else {
      loss.sentence = fmt::format(
          "{} tokens that request {} began with as well were computed again: {:.0f} ms. {}",
          with_commas(loss.tokens), other.id, to_ms(lost_ns),
          report.cache.reason == CacheReason::kEvicted
              ? "Their KV had been evicted: raise --kv-memory, or send the requests closer "
                "together."
              : "It had not been computed yet: let the first request of a group go ahead.");
      report.cache_break = {{"earlier_request", other.id}};
    }
    OrderedJson by_span = OrderedJson::array();
    for (size_t i = 0; i < loss.span_ns.size(); ++i) {
      if (loss.span_ns[i] > 0) by_span.push_back({{"span", i}, {"ms", to_ms(loss.span_ns[i])}});
    }
    report.cache_break["spans"] = std::move(by_span);
    report.cache_break["again_tokens"] = loss.tokens;
    report.cache_break["cost_ms"] = to_ms(lost_ns);
    report.cache_break["sentence"] = loss.sentence;
  }

  void describe_difference(PromptReport& report, const ArchivedPrompt& other,
                           int64_t lost_ns) const {
    const PromptDifference& difference = report.cache.difference;
    const int token = difference.common_prefix;
    size_t index = 0;
    while (index + 1 < report.spans.size() &&
           report.spans[index].first_token + report.spans[index].num_tokens <= token) {
      ++index;
    }
    int64_t before = 0;  // characters before the span
    for (size_t i = 0; i < index; ++i) before += report.spans[i].num_characters;
    const int64_t character = std::max<int64_t>(0, int64_t{start_of(prompt_, token)} - before);
    const std::string mine = text_of(prompt_, own_text_, token, difference.changed_tokens);
    const std::string theirs = text_of(other, other.text, token, difference.earlier_changed_tokens);
    report.loss.sentence = fmt::format(
        "{} differs at character {} ({} / {}); {} identical tokens after it were computed again: "
        "{:.0f} ms. Put the changing text after the stable text.",
        name_of(report.spans[index]), character, mine, theirs, with_commas(report.loss.tokens),
        to_ms(lost_ns));
    report.cache_break = {{"earlier_request", other.id},
                          {"span", index},
                          {"source", report.spans[index].source},
                          {"character", character},
                          {"token", token},
                          {"changed", mine},
                          {"changed_before", theirs},
                          {"changed_tokens", difference.changed_tokens},
                          {"changed_tokens_before", difference.earlier_changed_tokens}};
  }

  static uint32_t start_of(const ArchivedPrompt& prompt, int token) {
    const auto& starts = prompt.traced.token_starts;
    if (starts.empty()) return 0;
    return starts[std::min(static_cast<size_t>(token), starts.size() - 1)];
  }

  // The tokens' text where it may be told, else how much of it there was, and its hash.
  static std::string text_of(const ArchivedPrompt& prompt, std::string_view text, int first,
                             int num) {
    const bool to_the_end = first + num >= prompt.num_tokens();
    const uint32_t from = start_of(prompt, first);
    if (!text.empty()) return quote(text, from, to_the_end ? ~0U : start_of(prompt, first + num));
    uint32_t hash = 0;
    for (int i = first; i < std::min(first + num, prompt.num_tokens()); ++i) {
      hash = hash * 31 + prompt.tokens[static_cast<size_t>(i)];
    }
    return fmt::format("{} token{}, hash {:08x}", num, num == 1 ? "" : "s", hash);
  }

  const ArchivedPrompt& prompt_;
  std::string_view own_text_;
  CostModel model_;
  std::vector<PromptArchive::Prompt> earlier_;
  std::vector<bool> was_computed_;
  std::vector<ComputedChunk> chunks_;
  int num_cached_ = 0;
  int64_t scheduled_ns_ = -1;
};

}  // namespace

PromptReport report_on_prompt(const ArchivedPrompt& prompt, const PromptArchive& archive,
                              const EngineObserver& observer, int block_tokens,
                              std::string_view own_text) {
  return Reporter(prompt, archive, observer, own_text).run(block_tokens);
}

void add_prompt_report(const PromptReport& report, OrderedJson& phases) {
  OrderedJson spans = OrderedJson::array();
  for (size_t i = 0; i < report.spans.size(); ++i) {
    const PromptSpan& span = report.spans[i];
    spans.push_back({{"source", span.source},
                     {"role", span.role.empty() ? OrderedJson() : OrderedJson(span.role)},
                     {"label", span.label.empty() ? OrderedJson() : OrderedJson(span.label)},
                     {"first_token", span.first_token},
                     {"tokens", span.num_tokens},
                     {"characters", span.num_characters},
                     {"cached_tokens", report.costs[i].cached_tokens},
                     {"computed_tokens", report.costs[i].computed_tokens},
                     {"prefill_ms", to_ms(report.costs[i].prefill_ns)},
                     {"prefill_ns", report.costs[i].prefill_ns}});
  }
  phases["anatomy"] = {{"spans", std::move(spans)}};
  phases["cache"]["reused_tokens"] = report.cache.reused_tokens;
  phases["cache"]["reason"] = cache_reason_name(report.cache.reason);
  phases["cache"]["break"] = report.cache_break;
}

}  // namespace twostroke

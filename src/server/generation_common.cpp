#include "server/generation_common.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/prompt_report.h"

namespace twostroke {
Usage usage_of(const std::vector<Choice>& choices) {
  Usage usage;
  for (const Choice& choice : choices) {
    usage.completion_tokens += choice.output_tokens;
    if (!choice.first_of_prompt) continue;
    usage.prompt_tokens += choice.prompt_tokens;
    if (choice.ended) usage.cached_tokens += choice.summary.num_cached_tokens;
  }
  return usage;
}

bool all_ended(const std::vector<Choice>& choices) {
  return std::ranges::all_of(choices, [](const Choice& choice) { return choice.ended; });
}

std::vector<RequestSummary> summaries_of(const std::vector<Choice>& choices) {
  std::vector<RequestSummary> summaries;
  for (const Choice& choice : choices) summaries.push_back(choice.summary);
  return summaries;
}

void cancel_all(const GenerationBase& base) {
  for (const Choice& choice : base.choices) {
    if (!choice.ended) base.context.engine.cancel(choice.id);
  }
}

std::vector<ReplyDelta> read_deltas(Choice& choice, std::string_view text, bool last) {
  std::vector<ReplyDelta> deltas;
  choice.parser->push(text, deltas);
  if (last) choice.parser->finish(deltas);
  return deltas;
}

OrderedJson finish_reason_of(const Choice& choice, FinishReason reason) {
  if (reason == FinishReason::kStop && choice.assembly.has_calls()) return "tool_calls";
  return finish_reason_json(reason);
}

std::optional<Error> error_of(const RequestSummary& summary) {
  if (summary.finish_reason == FinishReason::kError) {
    return summary.error.value_or(Error{ErrorCode::kIo, "the engine gave the request up", ""});
  }
  if (summary.finish_reason == FinishReason::kCancelled) {
    return Error{ErrorCode::kCancelled, "the server is shutting down and ended this request early",
                 ""};
  }
  return std::nullopt;
}

OrderedJson phases_of(const GenerationBase& base, const Choice& choice) {
  OrderedJson phases = phases_json(choice.summary, base.context.engine.observer().machine());
  if (choice.prompt == nullptr || base.prompts == nullptr) return phases;
  const std::string_view own_text =
      choice.prompt_text ? std::string_view(*choice.prompt_text) : std::string_view();
  add_prompt_report(report_on_prompt(*choice.prompt, *base.prompts, base.context.engine.observer(),
                                     base.context.model.info().kv_block_tokens, own_text),
                    phases);
  return phases;
}

std::string describe_generation(const std::vector<Choice>& choices) {
  const Usage usage = usage_of(choices);
  std::string out = fmt::format("prompt={} cached={} output={}", usage.prompt_tokens,
                                usage.cached_tokens, usage.completion_tokens);
  if (choices.size() > 1) out += fmt::format(" choices={}", choices.size());
  const Choice& first = choices.front();
  if (!first.ended) return out + " finish=unfinished";
  const RequestIntervals intervals =
      intervals_of(first.summary.events, first.summary.num_output_tokens);
  const auto ms = [](int64_t ns) { return static_cast<double>(ns) / 1e6; };
  out += fmt::format(" finish={} queue_ms={:.1f} ttft_ms={:.1f} decode_ms={:.1f} tpot_ms={:.2f}",
                     finish_reason_name(first.summary.finish_reason), ms(intervals.queue_ns),
                     ms(intervals.ttft_ns), ms(intervals.decode_ns), intervals.tpot_ns / 1e6);
  return out;
}

}  // namespace twostroke

#include "testing/simulated_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "testing/fake_model.h"

namespace twostroke {
namespace {

std::string raw_text(const std::vector<TokenId>& tokens, const SimulatedWorld& world) {
  std::string text;
  for (const TokenId token : tokens) world.text->append_bytes(token, text);
  return text;
}

bool is_stop_token(TokenId token, const RequestInput& input, const SimulatedWorld& world) {
  const auto ends = world.text->end_of_generation_tokens();
  const bool is_end = std::ranges::find(ends, token) != ends.end();
  return (is_end && !input.ignore_eos) ||
         std::ranges::find(input.stop_token_ids, token) != input.stop_token_ids.end();
}

// The fake model's logits are one for its choice and zero for the rest: masked, the lowest that is
// allowed is left.
TokenId choose(const std::vector<TokenId>& context, bool may_stop, const RequestInput& input,
               const SimulatedWorld& world) {
  const TokenId chosen = fake_next_token(context, world.vocab_size);
  if (may_stop || !is_stop_token(chosen, input, world)) return chosen;
  TokenId lowest = 0;
  while (is_stop_token(lowest, input, world)) ++lowest;
  return lowest;
}

// Where the stop string that is complete first begins, or npos.
size_t first_stop(const std::string& text, const std::vector<std::string>& stops) {
  for (size_t end = 1; end <= text.size(); ++end) {
    size_t begin = std::string::npos;
    for (const std::string& stop : stops) {
      if (std::string_view(text).substr(0, end).ends_with(stop)) {
        begin = std::min(begin, end - stop.size());
      }
    }
    if (begin != std::string::npos) return begin;
  }
  return std::string::npos;
}

}  // namespace

ExpectedAnswer expected_answer(const RequestInput& input, const SimulatedWorld& world) {
  ExpectedAnswer answer;
  std::vector<TokenId> context = input.prompt;
  const int room = world.max_model_len - static_cast<int>(input.prompt.size());
  const int max_tokens = std::min(input.max_tokens, room);
  while (true) {
    if (context.back() == world.poison_token) {
      answer.finish_reason = FinishReason::kError;
      return answer;
    }
    const auto num_before = static_cast<int>(answer.tokens.size());
    const TokenId token = choose(context, num_before >= input.sampling.min_tokens, input, world);
    context.push_back(token);
    answer.tokens.push_back(token);
    if (num_before >= input.sampling.min_tokens && is_stop_token(token, input, world)) {
      answer.finish_reason = FinishReason::kStop;
      return answer;
    }
    world.text->append_bytes(token, answer.text);
    const size_t stop = first_stop(answer.text, input.stop);
    if (stop != std::string::npos) {
      answer.text.resize(stop);
      answer.finish_reason = FinishReason::kStop;
      return answer;
    }
    if (num_before + 1 == max_tokens) {
      answer.finish_reason = FinishReason::kLength;
      return answer;
    }
  }
}

std::string compare_answer(const ExpectedAnswer& expected, const SimulatedWorld& world,
                           const std::vector<TokenId>& tokens, const std::string& text,
                           const RequestSummary& summary) {
  if (summary.num_output_tokens != static_cast<int>(tokens.size())) {
    return fmt::format("{} tokens came, the summary has {}", tokens.size(),
                       summary.num_output_tokens);
  }
  if (summary.finish_reason == FinishReason::kCancelled) {
    const bool is_prefix = tokens.size() <= expected.tokens.size() &&
                           std::equal(tokens.begin(), tokens.end(), expected.tokens.begin());
    if (!is_prefix) return "a cancelled answer is not the beginning of the whole one";
    return text == raw_text(tokens, world) ? "" : "a cancelled answer's text is not its tokens'";
  }
  if (summary.finish_reason != expected.finish_reason) {
    return fmt::format("finish reason {}, expected {}", static_cast<int>(summary.finish_reason),
                       static_cast<int>(expected.finish_reason));
  }
  if (tokens != expected.tokens) {
    return fmt::format("tokens [{}], expected [{}]", fmt::join(tokens, " "),
                       fmt::join(expected.tokens, " "));
  }
  if (text != expected.text) return fmt::format("text '{}', expected '{}'", text, expected.text);
  return "";
}

std::string check_ledger(const RequestSummary& summary) {
  const auto& causes = summary.ledger.causes_ns();
  const int64_t booked = std::accumulate(causes.begin(), causes.end(), int64_t{0});
  const RequestEvents& events = summary.events;
  const int64_t life = events.finished_ns - events.received_ns;
  if (booked != life) return fmt::format("{} ns are booked of a life of {} ns", booked, life);
  if (std::ranges::any_of(causes, [](int64_t ns) { return ns < 0; })) return "a negative cause";
  int64_t latest = events.received_ns;
  for (const int64_t event : {events.tokenized_ns, events.queued_ns, events.scheduled_ns,
                              events.first_token_ns, events.last_token_ns, events.finished_ns}) {
    if (event < 0) continue;
    if (event < latest) return "events are not in order";
    latest = event;
  }
  // What a request waits for before its first step is the queue interval, exactly.
  const int64_t waited = summary.ledger.of(Cause::kWaitKv) + summary.ledger.of(Cause::kWaitBatch) +
                         summary.ledger.of(Cause::kWaitTurn);
  if (events.scheduled_ns >= 0 && waited != events.scheduled_ns - events.queued_ns) {
    return fmt::format("waited {} ns, but was in the queue for {} ns", waited,
                       events.scheduled_ns - events.queued_ns);
  }
  if (summary.waited_for.total_ns != waited) {
    return fmt::format("waited {} ns, but {} ns are somebody's", waited,
                       summary.waited_for.total_ns);
  }
  const int64_t others = summary.ledger.of(Cause::kPrefillOthers) +
                         summary.ledger.of(Cause::kDecodeBatch) +
                         summary.ledger.of(Cause::kDecodePrefill);
  if (summary.interference.total_ns != others) {
    return fmt::format("others took {} ns, but {} ns are somebody's", others,
                       summary.interference.total_ns);
  }
  for (const Blame& blame : summary.interference.top) {
    if (blame.ns > 0 && blame.request == summary.id) return "it is blamed for itself";
  }
  const bool lost_time = summary.ledger.of(Cause::kPreempted) > 0;
  if (lost_time && summary.num_preemptions == 0) return "preempted time without a preemption";
  return "";
}

std::string check_record(const RequestRecord& record, const RequestSummary& summary) {
  const RequestProgress progress = record.progress();
  if (progress.ledger.causes_ns() != summary.ledger.causes_ns()) return "another ledger is shown";
  if (progress.finish_reason != summary.finish_reason) return "another finish reason is shown";
  if (!record.is_over()) return "it ended and is shown as live";
  const int64_t num_sampled = record.num_sampled();
  if (num_sampled != summary.num_output_tokens) {
    return fmt::format("{} token times of {} tokens", num_sampled, summary.num_output_tokens);
  }
  const std::vector<int64_t> sampled = record.sampled_ns();
  if (!std::ranges::is_sorted(sampled)) return "token times are not in order";
  if (!sampled.empty() && (sampled.front() != summary.events.first_token_ns ||
                           sampled.back() != summary.events.last_token_ns)) {
    return "the token times do not begin and end with first and last token";
  }
  int64_t own_ns = 0;
  int num_tokens = 0;
  for (const PrefillChunk& chunk : record.chunks()) {
    own_ns += chunk.own_ns;
    if (chunk.kind == ChunkKind::kComputed) num_tokens += chunk.num_tokens;
    if (chunk.end_ns < chunk.start_ns || chunk.own_ns > chunk.end_ns - chunk.start_ns) {
      return "a chunk is longer than its step";
    }
  }
  if (own_ns != summary.ledger.of(Cause::kPrefillOwn)) {
    return fmt::format("chunks of {} ns, prefill_own is {} ns", own_ns,
                       summary.ledger.of(Cause::kPrefillOwn));
  }
  const int wanted = summary.num_prompt_tokens - summary.num_cached_tokens;
  const bool had_prefill = summary.events.first_token_ns >= 0;
  if (had_prefill && summary.num_preemptions == 0 && num_tokens != wanted) {
    return fmt::format("chunks of {} tokens, {} of the prompt were not cached", num_tokens, wanted);
  }
  return "";
}

}  // namespace twostroke

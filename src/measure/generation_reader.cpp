#include "measure/generation_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace twostroke {
namespace {

constexpr size_t kMaxErrorBytes = size_t{64} << 10;
constexpr size_t kMaxErrorShown = 400;
constexpr int kMaxCount = 1 << 30;

// What servers write where an error has happened: {"error": {"message": …}}, {"error": "…"},
// {"message": …}, {"detail": …}.
std::string error_message(const Json& body) {
  const Json& error = json_member(body, "error");
  if (error.is_string()) return error.get<std::string>();
  std::string message = json_string(error, "message");
  if (message.empty()) message = json_string(body, "message");
  if (message.empty()) message = json_string(body, "detail");
  return message;
}

std::string shorten(std::string_view text) {
  if (text.size() <= kMaxErrorShown) return std::string(text);
  return fmt::format("{}… ({} bytes)", text.substr(0, kMaxErrorShown), text.size());
}

int count_of(const Json& value, const char* key, int otherwise) {
  const int64_t count = json_int(value, key, otherwise);
  return count < 0 || count > kMaxCount ? otherwise : static_cast<int>(count);
}

// "7" → 7. The date form is not understood: kUnknown.
double retry_after_seconds(std::string_view header) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  const bool is_number = error == std::errc() && end == header.data() + header.size();
  return is_number && seconds >= 0 ? seconds : kUnknown;
}

bool has_items(const Json& value) {
  return value.is_array() && !value.empty();
}

}  // namespace

GenerationReader::GenerationReader(ClientRecord& record, int64_t origin_ns, bool keep_text)
    : record_(record), origin_ns_(origin_ns), keep_text_(keep_text) {}

void GenerationReader::on_connected(int64_t now_ns, bool) {
  record_.connected_ns = now_ns - origin_ns_;
}

void GenerationReader::on_head(const HttpHead& head, int64_t now_ns) {
  record_.first_byte_ns = now_ns - origin_ns_;
  record_.http_status = head.status;
  is_sse_ = head.status == 200 && head.header("content-type").starts_with("text/event-stream");
  record_.retry_after_s = retry_after_seconds(head.header("retry-after"));
}

bool GenerationReader::on_body(std::string_view bytes, int64_t now_ns) {
  if (!is_sse_) {
    const bool is_error = record_.http_status != 200;
    if (!is_error || body_.size() < kMaxErrorBytes) body_ += bytes;
    return true;
  }
  const Status status =
      sse_.feed(bytes, [&](const SseEvent& event) { on_event(event, now_ns - origin_ns_); });
  if (!status.ok()) fail(ClientErrorKind::kMalformed, status.error().message);
  return record_.ok();
}

void GenerationReader::on_event(const SseEvent& event, int64_t now_ns) {
  if (!record_.ok() || done_marker_) return;
  if (event.data == "[DONE]") {
    done_marker_ = true;
    return;
  }
  const Result<Json> chunk = parse_json_text(event.data);
  if (!chunk.ok() || !chunk->is_object()) {
    fail(ClientErrorKind::kMalformed,
         fmt::format("expected a JSON object in the event, found: {}", shorten(event.data)));
  } else if (event.event == "error" || !json_member(*chunk, "error").is_null()) {
    fail(ClientErrorKind::kServerError, shorten(error_message(*chunk)));
  } else {
    on_chunk(*chunk, now_ns);
  }
}

void GenerationReader::on_chunk(const Json& chunk, int64_t now_ns) {
  read_usage(chunk);
  read_timings(chunk);
  const Json& choices = json_member(chunk, "choices");
  if (!has_items(choices)) return;
  const Json& choice = choices.front();
  if (std::string reason = json_string(choice, "finish_reason"); !reason.empty()) {
    record_.finish_reason = std::move(reason);
  }
  const Json& text = json_member(choice, "text");
  if (text.is_string()) {  // /v1/completions
    const auto& string = text.get_ref<const std::string&>();
    on_text(true, string, !string.empty(), chunk, now_ns);
    return;
  }
  const Json& delta = json_member(choice, "delta");
  const std::string content = json_string(delta, "content");
  std::string reasoning = json_string(delta, "reasoning_content");
  if (reasoning.empty()) reasoning = json_string(delta, "reasoning");
  const bool has_call =
      has_items(json_member(delta, "tool_calls")) || !json_string(delta, "refusal").empty();
  const bool answer = !content.empty() || has_call;
  on_text(answer, content.empty() ? reasoning : content, answer || !reasoning.empty(), chunk,
          now_ns);
}

void GenerationReader::on_text(bool answer, std::string_view text, bool has_text, const Json& chunk,
                               int64_t now_ns) {
  if (keep_text_) record_.text += text;
  const bool is_counted = told_tokens_ >= 0;
  const int added = is_counted ? std::max(0, told_tokens_ - booked_tokens_) : 1;
  const bool has_begun = record_.first_token_ns >= 0;
  if (!has_text && !(has_begun && is_counted && added > 0)) return;
  if (!has_begun) record_.first_token_ns = now_ns;
  if (answer && record_.first_answer_ns < 0) record_.first_answer_ns = now_ns;
  // Text without a new token: the rest of one whose bytes came before. The gap is still a gap.
  record_.last_token_ns = now_ns;
  booked_tokens_ += added;
  record_.chunks.push_back(
      {now_ns, added, count_of(json_member(chunk, "timings"), "step_prefill_tokens", -1)});
}

void GenerationReader::read_usage(const Json& chunk) {
  const Json& usage = json_member(chunk, "usage");
  if (!usage.is_object()) return;
  const bool is_final = !has_items(json_member(chunk, "choices"));
  record_.prompt_tokens = count_of(usage, "prompt_tokens", record_.prompt_tokens);
  record_.cached_tokens =
      count_of(json_member(usage, "prompt_tokens_details"), "cached_tokens", record_.cached_tokens);
  const int completion = count_of(usage, "completion_tokens", -1);
  if (completion < 0) return;
  record_.has_usage = true;
  record_.output_tokens = completion;
  if (!is_final) told_tokens_ = completion;
}

void GenerationReader::read_timings(const Json& chunk) {
  const Json& timings = json_member(chunk, "timings");
  if (timings.is_object()) {
    record_.cached_tokens = count_of(timings, "cache_n", record_.cached_tokens);
    record_.timings.prompt_ms = json_number(timings, "prompt_ms", record_.timings.prompt_ms);
    record_.timings.predicted_ms =
        json_number(timings, "predicted_ms", record_.timings.predicted_ms);
    const int predicted = count_of(timings, "predicted_n", -1);
    const bool rides_on_token = has_items(json_member(chunk, "choices"));
    // llama-server's and ours: cumulative with every token when `timings_per_token` was asked for.
    if (predicted >= 0 && rides_on_token) told_tokens_ = std::max(told_tokens_, predicted);
  }
  const Json& phases = json_member(chunk, "phases");
  if (!phases.is_object()) return;
  const Json& intervals = json_member(phases, "intervals_ms");
  record_.timings.queue_ms = json_number(intervals, "queue", kUnknown);
  record_.timings.prefill_ms = json_number(intervals, "prefill", kUnknown);
  record_.timings.decode_ms = json_number(intervals, "decode", kUnknown);
  record_.timings.ttft_ms = json_number(intervals, "ttft", kUnknown);
  record_.timings.interference_ms =
      json_number(json_member(phases, "causes_ns"), "decode_prefill", kUnknown) / 1e6;
}

void GenerationReader::fail(ClientErrorKind kind, std::string message) {
  if (!record_.ok()) return;
  record_.error_kind = kind;
  record_.error = message.empty() ? error_kind_name(kind) : std::move(message);
}

// The whole answer in one piece: a server that does not stream.
void GenerationReader::read_whole() {
  const Result<Json> body = parse_json_text(body_);
  if (!body.ok() || !body->is_object()) {
    fail(ClientErrorKind::kMalformed,
         "expected an event stream or a JSON object, found: " + shorten(body_));
    return;
  }
  if (!json_member(*body, "error").is_null()) {
    fail(ClientErrorKind::kServerError, shorten(error_message(*body)));
    return;
  }
  record_.streamed = false;
  read_usage(*body);
  read_timings(*body);
  const Json& choices = json_member(*body, "choices");
  if (!has_items(choices)) return;
  record_.finish_reason = json_string(choices.front(), "finish_reason");
  std::string text = json_string(choices.front(), "text");
  if (text.empty()) text = json_string(json_member(choices.front(), "message"), "content");
  if (keep_text_) record_.text = std::move(text);
}

void GenerationReader::judge_status() {
  const Result<Json> body = parse_json_text(body_);
  std::string message = body.ok() ? error_message(*body) : std::string();
  if (message.empty()) message = body_;
  const int status = record_.http_status;
  fail(status == 429 || status == 503 ? ClientErrorKind::kRefused : ClientErrorKind::kHttpStatus,
       fmt::format("HTTP {}: {}", status, shorten(message)));
}

void GenerationReader::judge(const ExchangeOutcome& outcome) {
  switch (outcome.end) {
    case ExchangeEnd::kConnect:
      fail(ClientErrorKind::kConnect, outcome.detail);
      return;
    case ExchangeEnd::kTimeout:
      fail(ClientErrorKind::kTimeout, outcome.detail);
      return;
    case ExchangeEnd::kMalformed:
      fail(ClientErrorKind::kMalformed, outcome.detail);
      return;
    case ExchangeEnd::kDisconnected:
      // After [DONE] everything has been said; how the connection ends is of no interest.
      if (!done_marker_) fail(ClientErrorKind::kDisconnected, outcome.detail);
      return;
    case ExchangeEnd::kStopped:
    case ExchangeEnd::kComplete:
      break;
  }
  if (record_.http_status != 200) {
    judge_status();
  } else if (!is_sse_) {
    read_whole();
  } else if (!done_marker_ && record_.finish_reason.empty()) {
    fail(ClientErrorKind::kDisconnected, "the stream ended without finish_reason and [DONE]");
  }
}

// Usage has the last word on how many tokens there were; what it cannot say is where they were.
void GenerationReader::settle_tokens() {
  int booked = 0;
  for (const ClientChunk& chunk : record_.chunks) booked += chunk.num_tokens;
  if (told_tokens_ >= 0) record_.token_source = TokenSource::kContinuousUsage;
  if (!record_.has_usage) {
    record_.output_tokens = std::max(booked, told_tokens_);
    return;
  }
  const int chunks = static_cast<int>(record_.chunks.size());
  // One more than there are chunks is the end-of-text token, which has no text.
  if (told_tokens_ >= 0 || chunks == 0 || record_.output_tokens <= chunks + 1) return;
  record_.token_source = TokenSource::kSpread;
  for (int i = 0; i < chunks; ++i) {
    const int64_t total = record_.output_tokens;
    record_.chunks[static_cast<size_t>(i)].num_tokens =
        static_cast<int>(total * (i + 1) / chunks - total * i / chunks);
  }
}

void GenerationReader::finish(const ExchangeOutcome& outcome, int64_t now_ns) {
  record_.done_ns = now_ns - origin_ns_;
  judge(outcome);
  settle_tokens();
  if (record_.ok() && record_.output_tokens == 0) {
    fail(ClientErrorKind::kNoTokens, "the answer has no token");
  }
}

}  // namespace twostroke

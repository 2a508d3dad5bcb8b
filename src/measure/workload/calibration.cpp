#include "measure/workload/calibration.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

#include "measure/json_value.h"

namespace twostroke {
namespace {

// Fewer would make prompts too much alike.
constexpr size_t kFewestWords = 32;
constexpr int kProbeWords = 64;

std::string message_of(const HttpReply& reply) {
  const auto body = parse_json_text(reply.body);
  std::string message;
  if (body.ok()) message = json_string(json_member(*body, "error"), "message");
  if (message.empty()) message = reply.body.substr(0, 300);
  return fmt::format("HTTP {}: {}", reply.head.status, message);
}

// -1: the server does not say.
int64_t count_tokens(HttpClient& client, const std::string& model, const std::string& text) {
  const Json body = {{"model", model},
                     {"content", text},  // llama-server's name, and ours
                     {"add_special", false},
                     {"prompt", text},  // vLLM's
                     {"add_special_tokens", false}};
  const auto reply = client.post("/tokenize", json_line(body));
  if (!reply.ok() || !reply->ok()) return -1;
  const auto value = parse_json_text(reply->body);
  if (!value.ok()) return -1;
  const Json& tokens = json_member(*value, "tokens");
  if (tokens.is_array()) return static_cast<int64_t>(tokens.size());
  return json_int(*value, "count", -1);
}

std::string both_forms(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += fmt::format("\n{} {}", word, word);
  return text;
}

// Appends those of `words` that are single tokens in both forms: a line break, the word, a space
// and the word again are three.
bool keep_single(HttpClient& client, const std::string& model, std::span<const std::string> words,
                 std::vector<std::string>& kept) {
  const int64_t count = count_tokens(client, model, both_forms(words));
  if (count < 0) return false;
  if (count == static_cast<int64_t>(3 * words.size())) {
    kept.insert(kept.end(), words.begin(), words.end());
    return true;
  }
  if (words.size() == 1) return true;
  const size_t half = words.size() / 2;
  return keep_single(client, model, words.first(half), kept) &&
         keep_single(client, model, words.subspan(half), kept);
}

// The usage's prompt tokens of a probe; -1 when the answer has none.
Result<int> prompt_tokens_of(HttpClient& client, const PromptSource::Probe& probe) {
  const ClientRecord record = client.generate(probe.request.path, probe.request.body);
  if (!record.ok() && record.error_kind != ClientErrorKind::kNoTokens) {
    return Error{ErrorCode::kIo, fmt::format("{} {}", probe.request.path, record.error), ""};
  }
  return record.prompt_tokens;
}

}  // namespace

Result<std::string> first_model(HttpClient& client) {
  const HttpReply reply = TRY(client.get("/v1/models"));
  if (!reply.ok()) {
    return Error{ErrorCode::kIo, fmt::format("/v1/models: {}", message_of(reply)), "model"};
  }
  const Json body = TRY(parse_json_text(reply.body));
  const Json& data = json_member(body, "data");
  std::string id;
  if (data.is_array() && !data.empty()) id = json_string(data.front(), "id");
  if (id.empty()) {
    return Error{ErrorCode::kNotFound, "/v1/models names no model; say which with --model",
                 "model"};
  }
  return id;
}

Result<std::vector<std::string>> single_token_words(HttpClient& client, const std::string& model,
                                                    const std::vector<std::string>& words) {
  std::vector<std::string> kept;
  if (!keep_single(client, model, words, kept)) {
    return Error{ErrorCode::kUnsupported, "the server has no usable /tokenize", ""};
  }
  return kept;
}

Result<Calibration> calibrate(HttpClient& client, PromptSource& source, const std::string& model) {
  Calibration found;
  const auto single = single_token_words(client, model, common_words());
  if (single.ok() && single->size() >= kFewestWords) {
    found.method = "tokenize";
    found.words = *single;
  }
  source.use(found, model);
  PromptSource::Probe probe = source.make_probe(kProbeWords);
  auto tokens = prompt_tokens_of(client, probe);
  if (!tokens.ok()) {  // many templates take no system message
    found.system_role = false;
    source.use(found, model);
    probe = source.make_probe(kProbeWords);
    auto again = prompt_tokens_of(client, probe);
    if (!again.ok()) return tokens.error();
    tokens = std::move(again);
  }
  if (*tokens < 0) {
    found.method = "assumed";
  } else if (found.method == "tokenize") {
    found.overhead_tokens = std::max(0, *tokens - probe.words);
  } else {
    const PromptSource::Probe longer = source.make_probe(5 * kProbeWords);
    const int more = TRY(prompt_tokens_of(client, longer));
    const double per_word =
        static_cast<double>(more - *tokens) / static_cast<double>(longer.words - probe.words);
    if (per_word >= 0.2 && per_word < 20) {
      found.method = "usage";
      found.tokens_per_word = per_word;
      found.overhead_tokens =
          std::max(0, static_cast<int>(std::lround(*tokens - per_word * probe.words)));
    }
  }
  source.use(found, model);
  return found;
}

}  // namespace twostroke

#include "server/openai_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "server/chat_messages.h"
#include "server/request_fields.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();

Error invalid(std::string message, std::string field) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

Result<float> number_or(const json& body, const char* name, double min, double max,
                        float fallback) {
  const auto value = TRY(read_number(body, name, min, max));
  return value ? static_cast<float>(*value) : fallback;
}

Result<int> int_or(const json& body, const char* name, int64_t min, int64_t max, int fallback) {
  const auto value = TRY(read_int(body, name, min, max));
  return value ? static_cast<int>(*value) : fallback;
}

Result<bool> bool_or(const json& body, const char* name, bool fallback) {
  return TRY(read_bool(body, name)).value_or(fallback);
}

Result<std::vector<std::pair<TokenId, float>>> parse_logit_bias(const json& body,
                                                                const ServerOptions& options,
                                                                int vocab_size) {
  std::vector<std::pair<TokenId, float>> biases;
  const json* field = find_field(body, "logit_bias");
  if (field == nullptr) return biases;
  if (!field->is_object()) return wrong_type("logit_bias", "an object of token id: bias", *field);
  if (field->size() > static_cast<size_t>(options.max_logit_bias)) {
    return invalid(fmt::format("logit_bias has {} entries; the limit is {}", field->size(),
                               options.max_logit_bias),
                   "logit_bias");
  }
  for (const auto& [key, value] : field->items()) {
    TokenId token = kNoToken;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size() || token < 0 ||
        token >= vocab_size) {
      return invalid(
          fmt::format("logit_bias: {} is not a token id below {}", json(key).dump(), vocab_size),
          "logit_bias");
    }
    if (!value.is_number()) return wrong_type("logit_bias." + key, "a number", value);
    const double bias = value.get<double>();
    if (!(bias >= -100 && bias <= 100)) {
      return invalid(fmt::format("logit_bias.{} must be between -100 and 100, not {}", key, bias),
                     "logit_bias");
    }
    biases.emplace_back(token, static_cast<float>(bias));
  }
  return biases;
}

Result<std::vector<std::string>> parse_stop(const json& body, const ServerOptions& options) {
  std::vector<std::string> stop;
  const json* field = find_field(body, "stop");
  if (field == nullptr) return stop;
  const json list = field->is_array() ? *field : json::array({*field});
  if (list.size() > static_cast<size_t>(options.max_stop_strings)) {
    return invalid(
        fmt::format("stop has {} strings; the limit is {}", list.size(), options.max_stop_strings),
        "stop");
  }
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string name = field->is_array() ? fmt::format("stop[{}]", i) : "stop";
    if (!list[i].is_string()) return wrong_type(name, "a string or an array of strings", list[i]);
    const auto& text = list[i].get_ref<const std::string&>();
    if (text.empty()) return invalid(fmt::format("{} is empty", name), "stop");
    if (text.size() > options.max_stop_bytes) {
      return invalid(fmt::format("{} has {} bytes; the limit is {}", name, text.size(),
                                 options.max_stop_bytes),
                     "stop");
    }
    stop.push_back(text);
  }
  return stop;
}

Result<SamplingParams> parse_sampling(const json& body, const ServerOptions& options,
                                      int vocab_size) {
  SamplingParams sampling;
  sampling.temperature = TRY(number_or(body, "temperature", 0, 100, sampling.temperature));
  // 0 means "only the most likely token", which the smallest positive value does.
  const float top_p = TRY(number_or(body, "top_p", 0, 1, sampling.top_p));
  sampling.top_p = std::max(top_p, std::numeric_limits<float>::min());
  sampling.min_p = TRY(number_or(body, "min_p", 0, 1, sampling.min_p));
  sampling.top_k = std::max(0, TRY(int_or(body, "top_k", -1, kMaxInt, sampling.top_k)));
  sampling.repetition_penalty =
      TRY(number_or(body, "repetition_penalty", 0.01, 100, sampling.repetition_penalty));
  sampling.repeat_last_n = TRY(int_or(body, "repeat_last_n", -1, kMaxInt, sampling.repeat_last_n));
  sampling.presence_penalty =
      TRY(number_or(body, "presence_penalty", -2, 2, sampling.presence_penalty));
  sampling.frequency_penalty =
      TRY(number_or(body, "frequency_penalty", -2, 2, sampling.frequency_penalty));
  sampling.min_tokens = TRY(int_or(body, "min_tokens", 0, kMaxInt, 0));
  sampling.logit_bias = TRY(parse_logit_bias(body, options, vocab_size));
  return sampling;
}

Result<std::optional<int>> parse_max_tokens(const json& body) {
  for (const char* name : {"max_completion_tokens", "max_tokens"}) {
    const auto value = TRY(read_int(body, name, -1, kMaxInt));
    if (!value) continue;
    if (*value == -1) return std::optional<int>();  // llama-server's way to say "no limit of mine"
    if (*value == 0) return invalid(fmt::format("{} must be at least 1", name), name);
    return std::optional<int>(static_cast<int>(*value));
  }
  return std::optional<int>();
}

Status parse_stream_fields(const json& body, GenerationRequest& request) {
  request.stream = TRY(bool_or(body, "stream", false));
  request.return_progress = TRY(bool_or(body, "return_progress", false));
  request.timings_per_token = TRY(bool_or(body, "timings_per_token", false));
  request.phases = TRY(bool_or(body, "phases", false));
  const json* options = find_field(body, "stream_options");
  if (options == nullptr) return {};
  if (!options->is_object()) return wrong_type("stream_options", "an object", *options);
  const auto read = [&](const char* name, bool& into) -> Status {
    auto value = read_bool(*options, name);
    if (!value.ok())
      return wrong_type(std::string("stream_options.") + name, "a boolean",
                        *find_field(*options, name));
    into = value->value_or(false);
    return {};
  };
  TRY(read("include_usage", request.include_usage));
  TRY(read("continuous_usage_stats", request.continuous_usage));
  return {};
}

// Fields that other servers honour and this one does not: answering as if they were not there would
// be a lie.
Status refuse_unsupported(const json& body) {
  if (const json* format = find_field(body, "response_format"); format != nullptr) {
    if (!format->is_object()) return wrong_type("response_format", "an object", *format);
    if (format->value("type", json("text")) != "text") {
      return Error{ErrorCode::kUnsupported, "response_format can only be {\"type\": \"text\"}",
                   "response_format"};
    }
  }
  if (const json* suffix = find_field(body, "suffix"); suffix != nullptr && *suffix != "") {
    return Error{ErrorCode::kUnsupported,
                 "suffix is not supported: the model only continues a text", "suffix"};
  }
  return {};
}

Status parse_common(const json& body, const ServerOptions& options, int vocab_size,
                    GenerationRequest& request) {
  TRY(refuse_unsupported(body));
  TRY(read_string(body, "model", 4096));  // any name is served by the one model there is
  TRY(read_string(body, "user", 4096));
  request.sampling = TRY(parse_sampling(body, options, vocab_size));
  request.max_tokens = TRY(parse_max_tokens(body));
  request.num_choices = TRY(int_or(body, "n", 1, options.max_choices, 1));
  const auto seed = TRY(read_int(body, "seed", std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max()));
  if (seed) request.seed = static_cast<uint64_t>(*seed);
  request.stop = TRY(parse_stop(body, options));
  if (const json* ids = find_field(body, "stop_token_ids"); ids != nullptr) {
    request.stop_token_ids = TRY(parse_token_ids(*ids, "stop_token_ids", vocab_size));
    if (request.stop_token_ids.size() > static_cast<size_t>(options.max_stop_token_ids)) {
      return invalid(fmt::format("stop_token_ids has {} entries; the limit is {}",
                                 request.stop_token_ids.size(), options.max_stop_token_ids),
                     "stop_token_ids");
    }
  }
  request.ignore_eos = TRY(bool_or(body, "ignore_eos", false));
  request.cache_salt =
      TRY(read_string(body, "cache_salt", options.max_cache_salt_bytes)).value_or("");
  request.cache_prompt = TRY(bool_or(body, "cache_prompt", true));
  return parse_stream_fields(body, request);
}

Result<std::vector<CompletionPrompt>> parse_prompts(const json& body, const ServerOptions& options,
                                                    int vocab_size) {
  const json* field = find_field(body, "prompt");
  if (field == nullptr) return invalid("prompt is missing", "prompt");
  std::vector<CompletionPrompt> prompts;
  if (field->is_string()) {
    prompts.emplace_back(field->get<std::string>());
    return prompts;
  }
  if (!field->is_array())
    return wrong_type("prompt", "a string, an array of strings or of token ids", *field);
  if (field->empty()) return invalid("prompt is empty", "prompt");
  if ((*field)[0].is_number()) {
    prompts.emplace_back(TRY(parse_token_ids(*field, "prompt", vocab_size)));
    return prompts;
  }
  const size_t limit = 4 * static_cast<size_t>(options.max_choices);
  if (field->size() > limit) {
    return invalid(fmt::format("prompt has {} prompts; the limit is {}", field->size(), limit),
                   "prompt");
  }
  for (size_t i = 0; i < field->size(); ++i) {
    const json& item = (*field)[i];
    const std::string name = fmt::format("prompt[{}]", i);
    if (item.is_string()) {
      prompts.emplace_back(item.get<std::string>());
    } else if (item.is_array()) {
      prompts.emplace_back(TRY(parse_token_ids(item, name, vocab_size)));
    } else {
      return wrong_type(name, "a string or an array of token ids", item);
    }
  }
  return prompts;
}

Status parse_chat_logprobs(const json& body, const ServerOptions& options,
                           GenerationRequest& request) {
  const bool wanted = TRY(bool_or(body, "logprobs", false));
  const auto top = TRY(read_int(body, "top_logprobs", 0, options.max_top_logprobs));
  if (top && *top > 0 && !wanted)
    return invalid("top_logprobs needs logprobs to be true", "top_logprobs");
  if (wanted) request.sampling.num_logprobs = static_cast<int>(top.value_or(0));
  return {};
}

}  // namespace

Result<std::vector<TokenId>> parse_token_ids(const json& value, const std::string& field,
                                             int vocab_size) {
  if (!value.is_array()) return wrong_type(field, "an array of token ids", value);
  std::vector<TokenId> ids;
  ids.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const json& item = value[i];
    if (!item.is_number_integer())
      return wrong_type(fmt::format("{}[{}]", field, i), "a token id", item);
    const bool fits =
        item.is_number_unsigned() && item.get<uint64_t>() < static_cast<uint64_t>(vocab_size);
    if (!fits) {
      return invalid(fmt::format("{}[{}] is {}; token ids of this model are 0 to {}", field, i,
                                 item.dump(), vocab_size - 1),
                     field);
    }
    ids.push_back(item.get<TokenId>());
  }
  return ids;
}

Result<GenerationRequest> parse_chat_request(const json& body, const ServerOptions& options,
                                             int vocab_size) {
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  GenerationRequest request;
  request.is_chat = true;
  request.chat = TRY(parse_chat_messages(body));
  TRY(parse_common(body, options, vocab_size, request));
  TRY(parse_chat_logprobs(body, options, request));
  return request;
}

Result<GenerationRequest> parse_completion_request(const json& body, const ServerOptions& options,
                                                   int vocab_size) {
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  GenerationRequest request;
  request.prompts = TRY(parse_prompts(body, options, vocab_size));
  TRY(parse_common(body, options, vocab_size, request));
  request.sampling.num_logprobs = TRY(int_or(body, "logprobs", 0, options.max_top_logprobs, -1));
  request.echo = TRY(bool_or(body, "echo", false));
  if (request.echo && request.sampling.num_logprobs >= 0) {
    return Error{ErrorCode::kUnsupported,
                 "echo together with logprobs is not supported: prompts have no logprobs", "echo"};
  }
  const auto best_of = TRY(read_int(body, "best_of", 1, options.max_choices));
  if (best_of && *best_of > request.num_choices) {
    return Error{ErrorCode::kUnsupported, "best_of greater than n is not supported", "best_of"};
  }
  const size_t limit = 4 * static_cast<size_t>(options.max_choices);
  if (request.prompts.size() * static_cast<size_t>(request.num_choices) > limit) {
    return invalid(
        fmt::format("n times the number of prompts is {}; the limit is {}",
                    request.prompts.size() * static_cast<size_t>(request.num_choices), limit),
        "n");
  }
  return request;
}

}  // namespace twostroke

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {
namespace {

using json = nlohmann::ordered_json;

Result<std::vector<std::pair<TokenId, float>>> parse_logit_bias(const json& body,
                                                                const FieldContext& context) {
  std::vector<std::pair<TokenId, float>> biases;
  const json* field = find_field(body, "logit_bias");
  if (field == nullptr) return biases;
  if (!field->is_object()) return wrong_type("logit_bias", "an object of token id: bias", *field);
  if (field->size() > static_cast<size_t>(context.options.max_logit_bias)) {
    return invalid_field("logit_bias", fmt::format("logit_bias has {} entries; the limit is {}",
                                                   field->size(), context.options.max_logit_bias));
  }
  for (const auto& [key, value] : field->items()) {
    TokenId token = kNoToken;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size() || token < 0 ||
        token >= context.vocab_size) {
      return invalid_field("logit_bias", fmt::format("logit_bias: {} is not a token id below {}",
                                                     json(key).dump(), context.vocab_size));
    }
    if (!value.is_number()) return wrong_type("logit_bias." + key, "a number", value);
    const double bias = value.get<double>();
    if (!(bias >= -100 && bias <= 100)) {
      return invalid_field(
          "logit_bias",
          fmt::format("logit_bias.{} must be between -100 and 100, not {}", key, bias));
    }
    biases.emplace_back(token, static_cast<float>(bias));
  }
  return biases;
}

}  // namespace

Status read_sampling_fields(const json& body, const FieldContext& context,
                            GenerationRequest& request) {
  SamplingParams& sampling = request.sampling;
  TRY(read_into(body, "temperature", 0, 100, sampling.temperature));
  // 0 means "only the most likely token", which the smallest positive value does.
  TRY(read_into(body, "top_p", 0, 1, sampling.top_p));
  sampling.top_p = std::max(sampling.top_p, std::numeric_limits<float>::min());
  TRY(read_into(body, "min_p", 0, 1, sampling.min_p));
  TRY(read_into(body, "top_k", -1, kMaxInt, sampling.top_k));
  sampling.top_k = std::max(0, sampling.top_k);
  TRY(read_into(body, "repetition_penalty", 0.01, 100, sampling.repetition_penalty));
  TRY(read_into(body, "repeat_last_n", -1, kMaxInt, sampling.repeat_last_n));
  TRY(read_into(body, "presence_penalty", -2, 2, sampling.presence_penalty));
  TRY(read_into(body, "frequency_penalty", -2, 2, sampling.frequency_penalty));
  sampling.logit_bias = TRY(parse_logit_bias(body, context));
  const auto seed = TRY(read_int(body, "seed", std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max()));
  if (seed) request.seed = static_cast<uint64_t>(*seed);
  return {};
}

}  // namespace twostroke

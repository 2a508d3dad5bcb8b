// POST /v1/requests/{id}/what-if: what the request would have taken with another prompt, cache,
// batch or answer; with "verify": true such a request is run, and both are told.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "phases/what_if_change.h"
#include "server/error_response.h"
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/observed_request.h"
#include "server/request_fields.h"
#include "server/what_if_run.h"

namespace twostroke {
namespace {

constexpr size_t kMaxDropped = 256;
constexpr int kMaxBatch = 256;

Result<std::vector<std::string>> read_drop(const OrderedJson& body) {
  std::vector<std::string> names;
  const OrderedJson* field = find_field(body, "drop");
  if (field == nullptr) return names;
  if (field->is_string()) {
    names.push_back(field->get<std::string>());
    return names;
  }
  if (!field->is_array()) return wrong_type("drop", "a string or an array of strings", *field);
  if (field->size() > kMaxDropped) {
    return invalid_field(
        "drop", fmt::format("drop has {} parts; the limit is {}", field->size(), kMaxDropped));
  }
  for (const OrderedJson& name : *field) {
    if (!name.is_string()) return wrong_type("drop", "a string or an array of strings", name);
    names.push_back(name.get<std::string>());
  }
  return names;
}

Result<CacheChange> read_cache(const OrderedJson& body) {
  const auto name = TRY(read_string(body, "cache", 16));
  if (!name || *name == "same") return CacheChange::kSame;
  if (*name == "none") return CacheChange::kNone;
  if (*name == "warm") return CacheChange::kWarm;
  return invalid_field("cache", "cache must be \"same\", \"none\" or \"warm\"");
}

Result<std::optional<int>> read_count(const OrderedJson& body, const char* name, int min, int max) {
  const auto value = TRY(read_int(body, name, min, max));
  return value ? std::optional<int>(static_cast<int>(*value)) : std::optional<int>();
}

Result<WhatIfChange> read_change(const OrderedJson& body, const ModelInfo& info) {
  if (!body.is_object()) return wrong_type("the body", "an object", body);
  WhatIfChange change;
  const int most = info.max_model_len;
  change.drop = TRY(read_drop(body));
  change.cache = TRY(read_cache(body));
  change.prompt_tokens = TRY(read_count(body, "prompt_tokens", 1, most - 1));
  change.cached_tokens = TRY(read_count(body, "cached_tokens", 0, most - 1));
  change.output_tokens = TRY(read_count(body, "output_tokens", 1, most - 1));
  const int max_batch = std::clamp(info.max_running, 1, kMaxBatch);
  change.batch = TRY(read_count(body, "batch", 1, max_batch));
  return change;
}

Result<Reply> what_if(const HttpRequest& http, const Serving& serving) {
  const JsonLimits limits{serving.options.max_json_depth, serving.options.max_json_members};
  const OrderedJson body = TRY(parse_json(http.body.empty() ? "{}" : http.body, limits));
  const ModelInfo& info = serving.context->model.info();
  const WhatIfChange change = TRY(read_change(body, info));
  const bool verify = TRY(read_bool(body, "verify")).value_or(false);
  const ObservedRequest request = TRY(find_observed(http.path, serving));
  const RequestProgress& progress = request.progress;
  if (progress.events.first_token_ns < 0) {
    return Error{ErrorCode::kUnsupported,
                 "this request has no first token (yet): there is nothing to start from", "id"};
  }
  WhatIf question;
  question.measured = {.prompt_tokens = request.record->about().num_prompt_tokens,
                       .cached_tokens = progress.num_cached_tokens,
                       .output_tokens = std::max(1, progress.num_output_tokens),
                       .batch = 1};
  question.changed =
      TRY(changed_size(question.measured, request.report.spans, change, info.kv_block_tokens));
  if (question.changed.prompt_tokens + question.changed.output_tokens > info.max_model_len) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("prompt and answer would have {} tokens; the limit is {}",
                             question.changed.prompt_tokens + question.changed.output_tokens,
                             info.max_model_len),
                 "output_tokens"};
  }
  question.request = request.record->about().id;
  question.intervals = intervals_of(progress.events, progress.num_output_tokens);
  const StepLimits steps{.max_step_tokens = std::max(1, info.step_budget_tokens),
                         .max_prefill_tokens_with_decode = std::max(1, info.step_budget_tokens)};
  const CostModel model = serving.context->engine.observer().cost_model();
  question.error = model.recent_error();
  const RequestAnchor anchor =
      anchor_of(model, question.measured, steps, progress.ledger, question.intervals);
  question.as_it_was = predict_request(model, question.measured, steps, anchor);
  question.prediction = predict_request(model, question.changed, steps, anchor);
  Reply reply;
  if (verify) {
    reply.source = verify_what_if(std::move(question), http, serving);
  } else {
    reply.body = dump_json(what_if_json(question));
  }
  return reply;
}

}  // namespace

Reply handle_what_if(const HttpRequest& request, const Serving& serving) {
  Result<Reply> reply = what_if(request, serving);
  return reply.ok() ? std::move(reply).value() : error_reply(reply.error());
}

}  // namespace twostroke

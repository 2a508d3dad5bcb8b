#include <fmt/format.h>

#include "server/error_response.h"
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/openapi.h"
#include "server/router.h"

namespace twostroke {
namespace {

constexpr std::string_view kModelsPrefix = "/v1/models/";

Reply json_reply(const OrderedJson& body) {
  Reply reply;
  reply.body = dump_json(body);
  return reply;
}

OrderedJson model_json(const ModelInfo& info) {
  return {{"id", info.id},
          {"object", "model"},
          {"created", info.created_unix_s},
          {"owned_by", "twostroke"},
          {"root", info.root},
          {"parent", nullptr},
          {"max_model_len", info.max_model_len},
          {"meta",
           {{"architecture", info.architecture},
            {"description", info.description},
            {"n_vocab", info.vocab_size},
            {"n_params", info.num_parameters},
            {"size", info.file_bytes}}}};
}

OrderedJson default_params_json() {
  const SamplingParams defaults;
  return {{"temperature", defaults.temperature},
          {"top_k", defaults.top_k},
          {"top_p", defaults.top_p},
          {"min_p", defaults.min_p},
          {"repetition_penalty", defaults.repetition_penalty},
          {"repeat_last_n", defaults.repeat_last_n},
          {"presence_penalty", defaults.presence_penalty},
          {"frequency_penalty", defaults.frequency_penalty},
          {"max_tokens", -1},
          {"stream", false}};
}

OrderedJson limits_json(const ServerOptions& options, const ModelInfo& info) {
  return {{"max_model_len", info.max_model_len},
          {"max_running", info.max_running},
          {"step_budget_tokens", info.step_budget_tokens},
          {"target_itl_ms", info.target_itl_ms},
          {"max_connections", options.max_connections},
          {"max_header_bytes", options.max_header_bytes},
          {"max_body_bytes", options.max_body_bytes},
          {"max_choices", options.max_choices},
          {"max_stop_strings", options.max_stop_strings},
          {"max_top_logprobs", options.max_top_logprobs},
          {"max_json_depth", options.max_json_depth}};
}

// For clients that ask what this server can do. One that ends in "/" has something below it.
OrderedJson endpoints_json() {
  OrderedJson endpoints = OrderedJson::array();
  for (const Route& route : routes()) {
    endpoints.push_back(fmt::format("{} {}", route.method, route.path));
  }
  return endpoints;
}

}  // namespace

Reply handle_health(const HttpRequest&, const Serving&) {
  return json_reply({{"status", "ok"}});
}

Reply handle_models(const HttpRequest&, const Serving& serving) {
  OrderedJson body = {{"object", "list"}, {"data", OrderedJson::array()}};
  body["data"].push_back(model_json(serving.context->model.info()));
  return json_reply(body);
}

Reply handle_model(const HttpRequest& request, const Serving& serving) {
  const ModelInfo& info = serving.context->model.info();
  const std::string_view id = std::string_view(request.path).substr(kModelsPrefix.size());
  if (id == info.id) return json_reply(model_json(info));
  return error_reply({ErrorCode::kNotFound,
                      fmt::format("there is no model {}; this server has {}", id, info.id),
                      "model"});
}

Reply handle_props(const HttpRequest&, const Serving& serving) {
  const ModelInfo& info = serving.context->model.info();
  OrderedJson body = {{"default_generation_settings",
                       {{"n_ctx", info.max_model_len}, {"params", default_params_json()}}},
                      {"total_slots", info.max_running},
                      {"model_alias", info.id},
                      {"model_path", info.root},
                      {"modalities", {{"vision", false}, {"audio", false}}},
                      {"chat_template", info.chat_template},
                      {"bos_token", info.bos_text},
                      {"eos_token", info.eos_text},
                      {"build_info", "twostroke " TWOSTROKE_VERSION}};
  body["isa"] = info.isa;
  body["threads"] = info.num_threads;
  body["model"] = {{"architecture", info.architecture},
                   {"parameters", info.num_parameters},
                   {"file_bytes", info.file_bytes},
                   {"vocab_size", info.vocab_size}};
  body["kv_cache"] = {{"block_tokens", info.kv_block_tokens},
                      {"blocks", info.num_kv_blocks},
                      {"pool_bytes", info.kv_pool_bytes}};
  body["limits"] = limits_json(serving.options, info);
  body["endpoints"] = endpoints_json();
  const EngineStats stats = serving.context->engine.stats();
  body["engine"] = {{"running", stats.num_running},
                    {"waiting", stats.num_waiting},
                    {"blocks_free", stats.num_blocks_free},
                    {"blocks_cached", stats.num_blocks_cached},
                    {"steps", stats.num_steps},
                    {"preemptions", stats.num_preemptions}};
  return json_reply(body);
}

Reply handle_openapi(const HttpRequest&, const Serving&) {
  constexpr std::string_view kVersion = "\"VERSION\"";
  Reply reply;
  reply.body = openapi_document();
  const size_t at = reply.body.find(kVersion);
  CHECK(at != std::string::npos);
  reply.body.replace(at, kVersion.size(), "\"" TWOSTROKE_VERSION "\"");
  return reply;
}

Reply handle_reset_prefix_cache(const HttpRequest&, const Serving& serving) {
  serving.context->engine.reset_prefix_cache();
  return json_reply({{"status", "ok"}});
}

}  // namespace twostroke

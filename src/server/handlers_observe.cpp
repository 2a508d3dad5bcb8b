// What may be seen of the engine: requests, events, trace, cost model. No prompt or answer text in
// any of it. All of these are read-only and belong behind the same door.
#include <fmt/format.h>

#include <charconv>

#include "engine/engine_observer.h"
#include "server/error_response.h"
#include "server/event_stream.h"
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/metrics_text.h"
#include "server/prompt_report.h"
#include "server/query.h"
#include "server/request_json.h"
#include "server/trace_json.h"

namespace twostroke {
namespace {

constexpr std::string_view kRequestsPrefix = "/v1/requests/";

Reply json_reply(const OrderedJson& body) {
  Reply reply;
  reply.body = dump_json(body);
  return reply;
}

Reply reply_or_error(Result<Reply> reply) {
  return reply.ok() ? std::move(reply).value() : error_reply(reply.error());
}

RequestJournal::Record find_record(const RequestJournal& journal, std::string_view id) {
  RequestId number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error == std::errc() && end == id.data() + id.size()) return journal.find(number);
  const auto found = journal.find_reply(id);
  return found.empty() ? nullptr : found.front();
}

Result<Reply> list_requests(const HttpRequest& request, const Serving& serving) {
  const EngineObserver& observer = serving.context->engine.observer();
  const int kept = observer.journal().num_finished_kept();
  const double limit = TRY(query_number(request.query, "limit", 50, 1, 256));
  OrderedJson live = OrderedJson::array();
  for (const auto& record : observer.journal().live()) live.push_back(request_row_json(*record));
  OrderedJson finished = OrderedJson::array();
  for (const auto& record : observer.journal().finished(static_cast<int>(limit))) {
    finished.push_back(request_row_json(*record));
  }
  return json_reply({{"object", "list"},
                     {"now_ms", ms_of(serving.clock.now_ns())},
                     {"live", std::move(live)},
                     {"finished", std::move(finished)},
                     {"finished_kept", kept}});
}

Result<Reply> follow_events(const HttpRequest& request, const Serving& serving) {
  const double interval_ms = TRY(query_number(request.query, "interval_ms", 100, 20, 1000));
  Reply reply;
  reply.source = make_event_stream(serving, {.interval_ms = static_cast<int>(interval_ms)});
  if (reply.source == nullptr) {
    return Error{ErrorCode::kOverloaded,
                 fmt::format("{} clients follow the events already, the limit", kMaxEventStreams),
                 ""};
  }
  reply.content_type = "text/event-stream; charset=utf-8";
  reply.headers.emplace_back("Cache-Control", "no-cache");
  reply.headers.emplace_back("X-Accel-Buffering", "no");
  return reply;
}

Result<Reply> write_trace(const HttpRequest& request, const Serving& serving) {
  const double seconds = TRY(query_number(request.query, "seconds", 30, 0.001, 3600));
  Reply reply;
  const int64_t now_ns = serving.clock.now_ns();
  reply.body = trace_json(serving.context->engine.observer(),
                          now_ns - static_cast<int64_t>(seconds * 1e9), now_ns);
  return reply;
}

Result<Reply> write_metrics(const HttpRequest& request, const Serving& serving) {
  const std::string_view names = query_field(request.query, "names").value_or("all");
  if (names != "all" && names != "twostroke") {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("names must be all or twostroke, not {}", names.substr(0, 80)),
                 "names"};
  }
  Reply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = metrics_text(*serving.context, names == "all");
  return reply;
}

// What is remembered of its prompt: never text, unless prompts are kept.
void add_prompt(RequestId id, const Serving& serving, OrderedJson& phases) {
  const auto prompt = serving.prompts == nullptr ? nullptr : serving.prompts->find(id);
  if (prompt == nullptr) return;
  add_prompt_report(report_on_prompt(*prompt, *serving.prompts, serving.context->engine.observer(),
                                     serving.context->model.info().kv_block_tokens, {}),
                    phases);
}

}  // namespace

Reply handle_requests(const HttpRequest& request, const Serving& serving) {
  return reply_or_error(list_requests(request, serving));
}

Reply handle_request(const HttpRequest& request, const Serving& serving) {
  const EngineObserver& observer = serving.context->engine.observer();
  const std::string_view id = std::string_view(request.path).substr(kRequestsPrefix.size());
  const auto record = find_record(observer.journal(), id);
  if (record != nullptr) {
    OrderedJson detail = request_detail_json(*record, observer);
    add_prompt(record->about().id, serving, detail["phases"]);
    return json_reply(detail);
  }
  return error_reply({ErrorCode::kNotFound,
                      fmt::format("there is no request {}; the last {} that ended are kept",
                                  id.substr(0, 80), observer.journal().num_finished_kept()),
                      "id"});
}

Reply handle_events(const HttpRequest& request, const Serving& serving) {
  return reply_or_error(follow_events(request, serving));
}

Reply handle_trace(const HttpRequest& request, const Serving& serving) {
  return reply_or_error(write_trace(request, serving));
}

Reply handle_cost_model(const HttpRequest&, const Serving& serving) {
  return json_reply(cost_model_json(serving.context->engine.observer()));
}

Reply handle_metrics(const HttpRequest& request, const Serving& serving) {
  return reply_or_error(write_metrics(request, serving));
}

}  // namespace twostroke

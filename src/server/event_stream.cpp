#include "server/event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/engine_observer.h"
#include "server/openai_response.h"
#include "server/request_json.h"

namespace twostroke {
namespace {

constexpr int64_t kMaxChangesPerBatch = 256;

void append_event(std::string& out, const OrderedJson& event) {
  out += "event: " + event["type"].get<std::string>() + "\n";
  append_sse(out, event);
}

OrderedJson step_json(const StepRecord& step, const StepLog& log) {
  OrderedJson requests = OrderedJson::array();
  for (const StepItem& item : log.items_of(step)) {
    requests.push_back({{"id", item.request},
                        {"phase", step_phase_name(item.phase)},
                        {"first_token", item.first_token},
                        {"tokens", item.num_tokens},
                        {"context", item.first_token + item.num_tokens},
                        {"own_ns", item.own_ns}});
  }
  const int64_t not_kept = step.num_requests - static_cast<int64_t>(requests.size());
  return {{"type", "step"},
          {"step", step.step},
          {"start_ms", ms_of(step.start_ns)},
          {"end_ms", ms_of(step.end_ns)},
          {"parts_ns",
           {{"schedule", step.forward_start_ns - step.start_ns},
            {"forward", step.forward_end_ns - step.forward_start_ns},
            {"sample", step.sample_end_ns - step.forward_end_ns},
            {"publish", step.end_ns - step.sample_end_ns}}},
          {"target_ns", step.target_ns > 0 ? OrderedJson(step.target_ns) : OrderedJson()},
          {"predicted_ns", step.predicted_ns},
          {"prefill_tokens", step.num_prefill_tokens},
          {"decode_tokens", step.num_decode_tokens},
          {"waiting", step.num_waiting},
          {"requests", std::move(requests)},
          {"requests_not_kept", not_kept}};
}

OrderedJson typed_kv_json(const KvCounts& counts) {
  OrderedJson event = {{"type", "kv"}};
  event.update(kv_json(counts));
  return event;
}

bool same_counts(const KvCounts& a, const KvCounts& b) {
  return a.free == b.free && a.cached == b.cached && a.in_use == b.in_use && a.shared == b.shared;
}

class EventStream final : public ReplySource {
 public:
  EventStream(const Serving& serving, const EventStreamOptions& options,
              std::shared_ptr<const void> place)
      : context_(*serving.context),
        observer_(context_.engine.observer()),
        clock_(serving.clock),
        options_(options),
        place_(std::move(place)),
        step_cursor_(observer_.steps().last_step()),
        change_cursor_(observer_.changes().last()),
        delivery_cursor_(observer_.deliveries().last()) {}

  bool streams() const override { return true; }
  int status() const override { return 200; }
  int poll_interval_ms() const override { return options_.interval_ms; }
  void on_gone(RequestEnd, int64_t) override { done_ = true; }
  void cancel() override { done_ = true; }
  std::string describe() const override {
    return fmt::format("events={} dropped={}", num_events_, num_dropped_);
  }

  bool poll(std::string& out) override {
    if (done_) return true;
    if (!std::exchange(greeted_, true)) append(out, hello_json());
    append_steps(out);
    append_changes(out);
    const KvCounts counts = observer_.kv();
    if (!same_counts(counts, kv_)) append(out, typed_kv_json(counts));
    kv_ = counts;
    return false;
  }

 private:
  void append(std::string& out, const OrderedJson& event) {
    append_event(out, event);
    ++num_events_;
  }

  OrderedJson hello_json() {
    using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
    const auto unix_us =
        duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
    const ModelInfo& info = context_.model.info();
    OrderedJson live = OrderedJson::array();
    for (const auto& record : observer_.journal().live()) live.push_back(request_row_json(*record));
    kv_ = observer_.kv();
    return {{"type", "hello"},
            {"clock",
             {{"now_ms", ms_of(clock_.now_ns())}, {"unix_ms", static_cast<double>(unix_us) / 1e3}}},
            {"model",
             {{"id", info.id},
              {"architecture", info.architecture},
              {"parameters", info.num_parameters},
              {"file_bytes", info.file_bytes}}},
            {"config",
             {{"max_running", info.max_running},
              {"max_step_tokens", info.step_budget_tokens},
              {"max_model_len", info.max_model_len},
              {"block_tokens", info.kv_block_tokens},
              {"threads", info.num_threads},
              {"isa", info.isa}}},
            {"live", std::move(live)},
            {"kv", kv_json(kv_)}};
  }

  void append_steps(std::string& out) {
    const StepLog& log = observer_.steps();
    const int64_t last = log.last_step();
    const int64_t first =
        std::max({step_cursor_ + 1, last - kMaxStepsPerBatch + 1, log.oldest_step()});
    int64_t num_sent = 0;
    for (const StepRecord& step : log.since(first - 1)) {
      if (step.step > last) break;
      append(out, step_json(step, log));
      ++num_sent;
    }
    report_dropped(out, last - step_cursor_ - num_sent, 0);
    step_cursor_ = last;
  }

  void append_changes(std::string& out) {
    int64_t num_dropped = 0;
    std::vector<RequestChange> changes = take(observer_.changes(), change_cursor_, num_dropped);
    const std::vector<RequestChange> deliveries =
        take(observer_.deliveries(), delivery_cursor_, num_dropped);
    changes.insert(changes.end(), deliveries.begin(), deliveries.end());
    std::ranges::stable_sort(changes, {}, &RequestChange::at_ns);
    for (const RequestChange& change : changes) {
      const auto record = observer_.journal().find(change.request);
      if (record == nullptr) {
        ++num_dropped;
        continue;
      }
      append(out, {{"type", "request"},
                   {"change", request_change_name(change.kind)},
                   {"at_ms", ms_of(change.at_ns)},
                   {"request", request_row_json(*record)}});
    }
    report_dropped(out, 0, num_dropped);
  }

  static std::vector<RequestChange> take(const SeqRing<RequestChange>& ring, int64_t& cursor,
                                         int64_t& num_dropped) {
    const int64_t last = ring.last();
    std::vector<RequestChange> changes = ring.since(std::max(cursor, last - kMaxChangesPerBatch));
    const auto wanted = static_cast<size_t>(std::min(last - cursor, kMaxChangesPerBatch));
    if (changes.size() > wanted) changes.resize(wanted);  // those after `last` come next time
    num_dropped += last - cursor - static_cast<int64_t>(changes.size());
    cursor = last;
    return changes;
  }

  void report_dropped(std::string& out, int64_t steps, int64_t changes) {
    if (steps == 0 && changes == 0) return;
    num_dropped_ += steps + changes;
    append(out, {{"type", "dropped"}, {"steps", steps}, {"changes", changes}});
  }

  ServerContext context_;
  EngineObserver& observer_;
  const Clock& clock_;
  EventStreamOptions options_;
  std::shared_ptr<const void> place_;  // one of kMaxEventStreams
  int64_t step_cursor_, change_cursor_, delivery_cursor_;
  KvCounts kv_;
  int64_t num_events_ = 0, num_dropped_ = 0;
  bool greeted_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<ReplySource> make_event_stream(const Serving& serving,
                                               const EventStreamOptions& options) {
  auto place = serving.context->engine.observer().take_seat(kMaxEventStreams);
  if (place == nullptr) return nullptr;
  return std::make_unique<EventStream>(serving, options, std::move(place));
}

}  // namespace twostroke

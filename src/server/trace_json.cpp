#include "server/trace_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace twostroke {
namespace {

constexpr int kEnginePid = 1;
constexpr int kRequestsPid = 2;
constexpr int kStepsTid = 1;
constexpr int kPartsTid = 2;
// Flow arrows of one trace: more would hide what they show.
constexpr int kMaxArrows = 5000;

// Appends events. Names and args are ours: nothing in them needs escaping.
class TraceWriter {
 public:
  void process(int pid, std::string_view name) {
    event(R"({{"ph":"M","pid":{},"name":"process_name","args":{{"name":"{}"}}}})", pid, name);
  }
  void thread(int pid, RequestId tid, std::string_view name) {
    event(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})", pid, tid,
          name);
  }
  // `args`: the inside of a JSON object.
  void slice(int pid, RequestId tid, std::string_view name, int64_t start_ns, int64_t end_ns,
             std::string_view args) {
    event(R"({{"ph":"X","pid":{},"tid":{},"name":"{}","ts":{},"dur":{},"args":{{{}}}}})", pid, tid,
          name, us(start_ns), us(std::max<int64_t>(0, end_ns - start_ns)), args);
  }
  void counter(std::string_view name, int64_t at_ns, std::string_view args) {
    event(R"({{"ph":"C","pid":{},"name":"{}","ts":{},"args":{{{}}}}})", kEnginePid, name, us(at_ns),
          args);
  }
  void arrow(RequestId from, int64_t from_ns, RequestId to, int64_t to_ns) {
    const int id = ++num_arrows_;
    const auto end = [&](char kind, std::string_view bind, RequestId tid, int64_t at_ns) {
      event(
          R"({{"ph":"{}",{}"id":{},"cat":"interference","name":"slowed","pid":{},"tid":{},"ts":{}}})",
          kind, bind, id, kRequestsPid, tid, us(at_ns));
    };
    end('s', "", from, from_ns);
    end('f', R"("bp":"e",)", to, to_ns);
  }
  int num_arrows() const { return num_arrows_; }

  std::string finish(int64_t now_ns, bool truncated) {
    fmt::format_to(std::back_inserter(out_),
                   R"(],"displayTimeUnit":"ms","otherData":{{"clock":"server","now_us":{},)"
                   R"("truncated":{}}}}})",
                   us(now_ns), truncated);
    return std::move(out_);
  }

 private:
  // Microseconds with the nanoseconds as decimals.
  static std::string us(int64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }
  template <typename... Args>
  void event(fmt::format_string<Args...> format, Args&&... args) {
    if (out_.back() != '[') out_ += ",\n";
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  std::string out_ = R"({"traceEvents":[)";
  int num_arrows_ = 0;
};

struct TracedRequest {
  RequestJournal::Record record;
  RequestProgress progress;
};
using TracedRequests = std::unordered_map<RequestId, TracedRequest>;

void write_step(TraceWriter& trace, const StepRecord& step, const std::vector<StepItem>& items) {
  std::string who;
  for (const StepItem& item : items) {
    fmt::format_to(std::back_inserter(who), "{}{} {} {}+{}", who.empty() ? "" : ", ", item.request,
                   step_phase_name(item.phase), item.first_token, item.num_tokens);
  }
  trace.slice(kEnginePid, kStepsTid,
              step.num_prefill_tokens == 0  ? "decode step"
              : step.num_decode_tokens == 0 ? "prefill step"
                                            : "mixed step",
              step.start_ns, step.end_ns,
              fmt::format(R"("step":{},"prefill_tokens":{},"decode_tokens":{},"waiting":{},)"
                          R"("target_ns":{},"predicted_ns":{},"requests":"{}")",
                          step.step, step.num_prefill_tokens, step.num_decode_tokens,
                          step.num_waiting, step.target_ns, step.predicted_ns, who));
  const std::string args = fmt::format(R"("step":{})", step.step);
  trace.slice(kEnginePid, kPartsTid, "schedule", step.start_ns, step.forward_start_ns, args);
  trace.slice(kEnginePid, kPartsTid, "forward", step.forward_start_ns, step.forward_end_ns, args);
  trace.slice(kEnginePid, kPartsTid, "sample", step.forward_end_ns, step.sample_end_ns, args);
  trace.slice(kEnginePid, kPartsTid, "publish", step.sample_end_ns, step.end_ns, args);
  trace.counter("requests", step.start_ns,
                fmt::format(R"("running":{},"waiting":{})", step.num_requests, step.num_waiting));
}

// In one step, prompts' tokens slow the decodes: an arrow from the dearest chunk to each token.
void write_arrows(TraceWriter& trace, const StepRecord& step, const std::vector<StepItem>& items,
                  const TracedRequests& requests) {
  const StepItem* dearest = nullptr;
  for (const StepItem& item : items) {
    if (item.phase != StepPhase::kPrefill || !requests.contains(item.request)) continue;
    if (dearest == nullptr || item.own_ns > dearest->own_ns) dearest = &item;
  }
  if (dearest == nullptr) return;
  const int64_t middle_ns =
      step.forward_start_ns + (step.forward_end_ns - step.forward_start_ns) / 2;
  for (const StepItem& item : items) {
    if (item.phase != StepPhase::kDecode || trace.num_arrows() >= kMaxArrows) continue;
    const auto found = requests.find(item.request);
    if (found == requests.end()) continue;
    const RequestEvents& events = found->second.progress.events;
    const bool in_decode = events.first_token_ns >= 0 && events.first_token_ns <= step.start_ns &&
                           (events.last_token_ns >= step.forward_end_ns);
    if (in_decode) trace.arrow(dearest->request, middle_ns, item.request, step.forward_end_ns);
  }
}

// A token's slice lasts from the one before to its own sampling.
void write_tokens(TraceWriter& trace, const TracedRequest& it, RequestId tid) {
  const std::vector<int64_t> sampled_ns = it.record->sampled_ns();
  for (size_t i = 1; i < sampled_ns.size(); ++i) {
    if (sampled_ns[i] > it.progress.events.last_token_ns) break;  // came after the copy was made
    trace.slice(kRequestsPid, tid, "token", sampled_ns[i - 1], sampled_ns[i],
                fmt::format(R"("index":{})", i));
  }
}

void write_request(TraceWriter& trace, const TracedRequest& it, int64_t to_ns) {
  const RequestAbout& about = it.record->about();
  const RequestProgress& progress = it.progress;
  const RequestEvents& events = progress.events;
  const RequestId tid = about.id;
  trace.thread(kRequestsPid, tid, fmt::format("request {}", about.id));
  const bool over = progress.phase == RequestPhase::kFinished;
  const int64_t end_ns =
      over ? events.finished_ns : std::max(to_ns, progress.ledger.booked_until_ns());
  trace.slice(kRequestsPid, tid, "request", about.received_ns, end_ns,
              fmt::format(R"("id":{},"reply_id":"{}","state":"{}","prompt_tokens":{},)"
                          R"("cached_tokens":{},"output_tokens":{},"preemptions":{})",
                          about.id, about.reply_id, request_phase_name(progress.phase),
                          about.num_prompt_tokens, progress.num_cached_tokens,
                          progress.num_output_tokens, progress.num_preemptions));
  const auto interval = [&](std::string_view name, int64_t start_ns, int64_t stop_ns) {
    if (start_ns < 0) return;
    const int64_t stop = stop_ns < 0 ? end_ns : stop_ns;
    trace.slice(kRequestsPid, tid, name, start_ns, stop, "");
  };
  interval("intake", events.received_ns, events.queued_ns);
  if (events.queued_ns >= 0) interval("queue", events.queued_ns, events.scheduled_ns);
  if (events.scheduled_ns >= 0) interval("prefill", events.scheduled_ns, events.first_token_ns);
  const int64_t prefill_end_ns = events.first_token_ns < 0 ? end_ns : events.first_token_ns;
  for (const PrefillChunk& chunk : it.record->chunks()) {
    if (chunk.end_ns > prefill_end_ns) continue;  // computed again while it decoded
    trace.slice(kRequestsPid, tid, "chunk", chunk.start_ns, chunk.end_ns,
                fmt::format(R"("step":{},"first_token":{},"tokens":{},"own_ns":{})", chunk.step,
                            chunk.first_token, chunk.num_tokens, chunk.own_ns));
  }
  if (events.first_token_ns < 0) return;
  const bool decoding = progress.finish_reason == FinishReason::kNone;
  interval("decode", events.first_token_ns, decoding ? -1 : events.last_token_ns);
  write_tokens(trace, it, tid);
  if (!decoding) interval("delivery", events.last_token_ns, over ? events.finished_ns : -1);
}

TracedRequests requests_between(const EngineObserver& observer, int64_t from_ns) {
  TracedRequests requests;
  const auto add = [&](const std::vector<RequestJournal::Record>& records) {
    for (const auto& record : records) {
      RequestProgress progress = record->progress();
      const bool over = progress.phase == RequestPhase::kFinished;
      if (over && progress.events.finished_ns < from_ns) continue;
      requests.try_emplace(record->about().id, TracedRequest{record, progress});
    }
  };
  add(observer.journal().live());
  add(observer.journal().finished(observer.journal().num_finished_kept()));
  return requests;
}

}  // namespace

std::string trace_json(const EngineObserver& observer, int64_t from_ns, int64_t to_ns) {
  TraceWriter trace;
  trace.process(kEnginePid, "engine");
  trace.thread(kEnginePid, kStepsTid, "steps");
  trace.thread(kEnginePid, kPartsTid, "step parts");
  trace.process(kRequestsPid, "requests");
  const TracedRequests requests = requests_between(observer, from_ns);
  for (const auto& [id, it] : requests) write_request(trace, it, to_ns);
  const std::vector<StepRecord> steps = observer.steps().since(0);
  for (const StepRecord& step : steps) {
    if (step.end_ns < from_ns || step.end_ns > to_ns) continue;
    const std::vector<StepItem> items = observer.steps().items_of(step);
    write_step(trace, step, items);
    write_arrows(trace, step, items, requests);
  }
  const bool truncated =
      !steps.empty() && steps.front().step > 1 && steps.front().start_ns > from_ns;
  return trace.finish(to_ns, truncated);
}

}  // namespace twostroke

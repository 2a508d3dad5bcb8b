#include "measure/load_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cmath>
#include <ctime>
#include <deque>
#include <set>

#include "measure/generation_reader.h"
#include "measure/progress_sink.h"

namespace twostroke {
namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kLagProbeNs = 5 * kNsPerMs;
constexpr int64_t kStopPollNs = 20 * kNsPerMs;
constexpr int64_t kStartDelayNs = 5 * kNsPerMs;
// A user whose request failed thinks for so long before the next, so that a dead server does not
// get a thousand requests a millisecond.
constexpr double kBackoffS = 0.1;
constexpr double kMaxRetryAfterS = 60;
constexpr size_t kMaxRecords = 4'000'000;

int64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// What a stream is doing.
struct StreamState {
  LoadStream stream;
  std::deque<ClientRecord> records;  // stable while it grows
  std::deque<int> due;               // open loop: due and held back
  int in_flight = 0;
  bool all_due = false;
};

class LoadRunner {
 public:
  LoadRunner(const LoadSetup& setup, std::vector<LoadStream> streams, const LoadHooks& hooks)
      : setup_(setup),
        hooks_(hooks),
        progress_(hooks.progress != nullptr ? *hooks.progress : unseen_),
        connections_(io_, setup.server, setup.http) {
    for (LoadStream& stream : streams) states_.emplace_back().stream = std::move(stream);
  }

  StreamsOutcome run() {
    origin_ns_ = steady_now_ns() + kStartDelayNs;
    for (StreamState& state : states_) start(state);
    spawn(watch_lag());
    if (hooks_.stop != nullptr) spawn(watch_stop());
    const int64_t cpu_before = thread_cpu_ns();
    io_.run();
    const int64_t wall_ns = std::max<int64_t>(1, steady_now_ns() - origin_ns_ + kStartDelayNs);
    StreamsOutcome outcome;
    outcome.client = health();
    outcome.client.cpu_fraction =
        static_cast<double>(thread_cpu_ns() - cpu_before) / static_cast<double>(wall_ns);
    outcome.stopped = stopping_;
    collect(outcome);
    return outcome;
  }

 private:
  void spawn(asio::awaitable<void> work) { asio::co_spawn(io_, std::move(work), asio::detached); }
  int64_t now_ns() const { return steady_now_ns() - origin_ns_; }

  // Until a time of the run, or until it is being stopped.
  asio::awaitable<void> wait_until(int64_t at_ns) {
    asio::steady_timer timer(
        io_, asio::steady_timer::time_point(std::chrono::nanoseconds(origin_ns_ + at_ns)));
    if (ending_) co_return;
    timers_.insert(&timer);
    co_await timer.async_wait(kAwait);
    timers_.erase(&timer);
  }

  void start(StreamState& state) {
    if (!state.stream.in_background) ++foreground_;
    if (state.stream.arrival.kind != ArrivalKind::kClosedLoop) {
      spawn(pace(state));
      return;
    }
    const int users = std::max(1, state.stream.arrival.concurrency);
    state.in_flight = users;  // users, here
    for (int user = 0; user < users; ++user) {
      const double begin_s = state.stream.arrival.ramp_s * user / users;
      spawn(be_user(state, static_cast<int64_t>(begin_s * 1e9)));
    }
  }

  bool may_start(const StreamState& state) const {
    const double limit_s = state.stream.max_duration_s;
    return !ending_ && static_cast<int>(state.records.size()) < state.stream.num_requests &&
           state.records.size() < kMaxRecords &&
           (limit_s <= 0 || static_cast<double>(now_ns()) < limit_s * 1e9);
  }

  ClientRecord& new_record(StreamState& state, int64_t scheduled_ns) {
    ClientRecord& record = state.records.emplace_back();
    record.index = static_cast<int>(state.records.size()) - 1;
    record.label = state.stream.label;
    record.scheduled_ns = scheduled_ns;
    record.released_ns = scheduled_ns;
    return record;
  }

  // Closed loop: the next question when the answer is complete.
  asio::awaitable<void> be_user(StreamState& state, int64_t begin_ns) {
    co_await wait_until(begin_ns);
    while (may_start(state)) {
      ClientRecord& record = new_record(state, std::max(now_ns(), begin_ns));
      co_await send(state, record);
      double pause_s = state.stream.arrival.think_time_s;
      if (!record.ok()) {
        const double asked = std::isnan(record.retry_after_s) ? 0 : record.retry_after_s;
        pause_s = std::max({pause_s, kBackoffS, std::min(asked, kMaxRetryAfterS)});
      }
      begin_ns = now_ns() + static_cast<int64_t>(pause_s * 1e9);
      if (pause_s > 0 && may_start(state)) co_await wait_until(begin_ns);
    }
    if (--state.in_flight == 0) stream_ended(state);
  }

  // Open loop: requests fall due at their times, whatever the server does.
  asio::awaitable<void> pace(StreamState& state) {
    for (const int64_t due_ns : state.stream.due_ns) {
      if (state.stream.max_duration_s > 0 &&
          static_cast<double>(due_ns) >= state.stream.max_duration_s * 1e9) {
        break;
      }
      co_await wait_until(due_ns);
      if (ending_ || state.records.size() >= kMaxRecords) break;
      state.due.push_back(new_record(state, due_ns).index);
      release(state, false);
    }
    state.all_due = true;
    if (state.in_flight == 0 && state.due.empty()) stream_ended(state);
  }

  // Sends what is due, as far as the limit on requests in flight allows.
  void release(StreamState& state, bool by_an_end) {
    const int limit = state.stream.arrival.max_in_flight;
    while (!state.due.empty() && !ending_ && (limit <= 0 || state.in_flight < limit)) {
      ClientRecord& record = state.records[static_cast<size_t>(state.due.front())];
      state.due.pop_front();
      if (by_an_end) record.released_ns = now_ns();
      ++state.in_flight;
      spawn(send_due(state, record));
    }
    progress_.held = static_cast<int>(state.due.size());
  }

  asio::awaitable<void> send_due(StreamState& state, ClientRecord& record) {
    co_await send(state, record);
    --state.in_flight;
    release(state, true);
    const bool over = state.all_due && (state.due.empty() || ending_);
    if (over && state.in_flight == 0) stream_ended(state);
  }

  asio::awaitable<void> send(StreamState& state, ClientRecord& record) {
    const PlannedRequest planned = state.stream.make(record.index);
    record.planned_prompt_tokens = planned.prompt_tokens;
    record.requested_output_tokens = planned.output_tokens;
    const HttpRequestText request{
        "POST",
        setup_.server.target(planned.path),
        planned.body,
        {{"X-Request-Id", fmt::format("load-{}-{}{}", setup_.seed, record.label, record.index)}}};
    ++progress_.waiting;
    record.sent_ns = now_ns();
    for (;;) {
      GenerationReader reader(record, origin_ns_, setup_.keep_text);
      ProgressSink sink(reader, record, progress_);
      const ExchangeOutcome outcome = co_await connections_.run(request, sink);
      reader.finish(outcome, steady_now_ns());
      sink.finish();
      if (record.error_kind != ClientErrorKind::kRefused || record.attempts > setup_.retries ||
          ending_) {
        break;
      }
      const double asked = std::isnan(record.retry_after_s) ? kBackoffS : record.retry_after_s;
      co_await wait_until(now_ns() + static_cast<int64_t>(std::min(asked, kMaxRetryAfterS) * 1e9));
      if (ending_) break;
      record.error_kind = ClientErrorKind::kNone;
      record.error.clear();
      ++record.attempts;
    }
    if (ending_ && (record.error_kind == ClientErrorKind::kDisconnected ||
                    record.error_kind == ClientErrorKind::kConnect)) {
      record.error_kind = ClientErrorKind::kCancelled;  // by us
    }
    --progress_.waiting;
    ++(record.ok() ? progress_.completed : progress_.failed);
  }

  void stream_ended(const StreamState& state) {
    if (!state.stream.in_background && --foreground_ == 0) end();
  }

  // Nothing starts from now on; what runs in the background is cut.
  void end() {
    ending_ = true;
    const bool cut =
        stopping_ || std::any_of(states_.begin(), states_.end(),
                                 [](const auto& state) { return state.stream.in_background; });
    if (cut) connections_.close_all();
    for (asio::steady_timer* timer : timers_) timer->cancel();
  }

  asio::awaitable<void> watch_stop() {
    while (!ending_) {
      co_await wait_until(now_ns() + kStopPollNs);
      if (ending_ || !hooks_.stop->load()) continue;
      stopping_ = true;
      end();
    }
  }

  asio::awaitable<void> watch_lag() {
    while (!ending_) {
      const int64_t due_ns = now_ns() + kLagProbeNs;
      co_await wait_until(due_ns);
      if (!ending_) lags_ms_.push_back(static_cast<float>(now_ns() - due_ns) / 1e6F);
    }
  }

  ClientHealth health() {
    ClientHealth health;
    if (lags_ms_.empty()) return health;
    std::sort(lags_ms_.begin(), lags_ms_.end());
    health.loop_lag_p99_ms = static_cast<double>(lags_ms_[(lags_ms_.size() - 1) * 99 / 100]);
    health.loop_lag_max_ms = static_cast<double>(lags_ms_.back());
    return health;
  }

  void collect(StreamsOutcome& outcome) {
    int64_t first_ns = std::numeric_limits<int64_t>::max();
    int64_t last_ns = 0;
    for (StreamState& state : states_) {
      for (ClientRecord& record : state.records) {
        if (record.done_ns < 0) {  // due, never sent
          record.error_kind = ClientErrorKind::kCancelled;
          record.error = "the run ended before it was sent";
        }
        if (record.sent_ns >= 0) first_ns = std::min(first_ns, record.sent_ns);
        last_ns = std::max(last_ns, record.done_ns);
        outcome.records.push_back(std::move(record));
      }
    }
    outcome.duration_ns = std::max<int64_t>(0, last_ns - first_ns);
  }

  const LoadSetup& setup_;
  const LoadHooks& hooks_;
  LoadProgress unseen_;
  LoadProgress& progress_;
  asio::io_context io_{1};
  HttpConnections connections_;
  std::deque<StreamState> states_;
  std::set<asio::steady_timer*> timers_;
  std::vector<float> lags_ms_;
  int64_t origin_ns_ = 0;
  int foreground_ = 0;
  bool ending_ = false;
  bool stopping_ = false;
};

}  // namespace

StreamsOutcome run_streams(const LoadSetup& setup, std::vector<LoadStream> streams,
                           const LoadHooks& hooks) {
  return LoadRunner(setup, std::move(streams), hooks).run();
}

}  // namespace twostroke

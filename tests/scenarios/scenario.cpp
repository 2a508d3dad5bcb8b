#include "scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace twostroke {
namespace {

// The value of `key=` in the line, or `otherwise`.
std::string field(std::string_view line, std::string_view key, std::string otherwise = "") {
  const std::string wanted = fmt::format(" {}=", key);
  const size_t at = line.find(wanted);
  if (at == std::string_view::npos) return otherwise;
  const size_t begin = at + wanted.size();
  return std::string(line.substr(begin, line.find(' ', begin) - begin));
}

int number(std::string_view text) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  CHECK(parsed.ec == std::errc());
  return value;
}

std::string second_word(std::string_view line) {
  const size_t begin = line.find(' ') + 1;
  return std::string(line.substr(begin, line.find(' ', begin) - begin));
}

const char* wait_name(WaitReason reason) {
  switch (reason) {
    case WaitReason::kNone:
      return "";
    case WaitReason::kKv:
      return "kv";
    case WaitReason::kBatchLimit:
      return "batch";
    case WaitReason::kTurn:
      return "turn";
  }
  return "";
}

}  // namespace

std::string Scenario::run_line(const std::string& full_line) {
  std::string line = full_line.substr(0, full_line.find("->"));
  line = line.substr(0, line.find('#'));
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.empty()) return full_line;
  if (line.starts_with("pool")) {
    configure(line);
  } else if (line.starts_with("submit")) {
    submit(line);
  } else if (line.starts_with("cancel")) {
    scheduler_->remove(named(second_word(line)));
  } else if (line == "reset") {
    kv_cache_->reset_prefix_cache();
  } else {
    CHECK_EQ(line, "step");
    return fmt::format("step  -> {}", step());
  }
  return full_line;
}

void Scenario::configure(std::string_view line) {
  CHECK(scheduler_ == nullptr);
  kv_cache_ = std::make_unique<KvCache>(number(field(line, "blocks")),
                                        number(field(line, "block_size", "4")));
  scheduler_ = std::make_unique<Scheduler>(
      SchedulerConfig{
          .max_step_tokens = number(field(line, "step_tokens", "8")),
          .max_running = number(field(line, "running", "4")),
          .max_prefill_tokens_with_decode = number(field(line, "prefill_with_decode", "1000"))},
      *kv_cache_);
}

// Prompts count up from a start of their own, so that no two share tokens unless the line says so.
void Scenario::submit(std::string_view line) {
  const std::string name = second_word(line);
  auto added = std::make_unique<NamedRequest>();
  Request& request = added->request;
  request.id = order_.size() + 1;
  request.num_prompt_tokens = number(field(line, "prompt"));
  for (int i = 0; i < request.num_prompt_tokens; ++i) {
    request.tokens.push_back(static_cast<TokenId>(request.id) * 10'000 + i);
  }
  const std::string same = field(line, "same_prefix_as");
  if (!same.empty()) {
    const size_t colon = same.find(':');
    const Request& other = named(same.substr(0, colon));
    const auto count = static_cast<size_t>(number(same.substr(colon + 1)));
    CHECK_LE(count, request.tokens.size());
    std::copy_n(other.tokens.begin(), count, request.tokens.begin());
  }
  request.cache_salt = field(line, "salt");
  request.cache_prompt = field(line, "cache", "yes") == "yes";
  added->max_output_tokens = number(field(line, "max", "1"));
  CHECK(scheduler_->check_fits(request.num_prompt_tokens).ok());
  scheduler_->add(request);
  names_[&request] = name;
  order_.push_back(name);
  CHECK(requests_.emplace(name, std::move(added)).second);
}

std::string Scenario::step() {
  if (!scheduler_->has_work()) return "idle";
  const StepPlan& plan = scheduler_->schedule();
  std::string trace = trace_of(plan);
  scheduler_->complete(plan);
  for (const ScheduledRequest& item : plan.scheduled) {
    if (!item.needs_logits) continue;
    Request& request = *item.request;
    request.tokens.push_back(static_cast<TokenId>(request.id) * 10'000 + request.num_tokens());
  }
  trace += finish_completed();
  scheduler_->check_invariants();
  const BlockPool& pool = kv_cache_->pool();
  return trace + fmt::format(" | free {} cached {} used {}", pool.num_free(), pool.num_cached(),
                             pool.num_referenced());
}

std::string Scenario::trace_of(const StepPlan& plan) const {
  std::string trace;
  for (const Request* request : plan.preempted) trace += " " + name_of(*request) + ":preempted";
  for (const ScheduledRequest& item : plan.scheduled) {
    const Request& request = *item.request;
    const std::string& name = name_of(request);
    const bool first_time = item.first_token == request.num_cached_tokens &&
                            request.num_output_tokens() == 0 && request.num_cached_tokens > 0;
    if (first_time) trace += fmt::format(" {}:hit {}", name, request.num_cached_tokens);
    trace += fmt::format(" {}[{},{}){}", name, item.first_token, item.first_token + item.num_tokens,
                         item.needs_logits ? "*" : "");
  }
  for (const Request* request = scheduler_->waiting().front(); request != nullptr;
       request = request->next) {
    trace += fmt::format(" {}:wait {}", name_of(*request), wait_name(plan.wait_reason));
  }
  return trace.substr(1);
}

std::string Scenario::finish_completed() {
  std::string trace;
  for (const std::string& name : order_) {
    NamedRequest& candidate = *requests_.at(name);
    Request& request = candidate.request;
    if (request.state != RequestState::kRunning) continue;
    if (request.num_output_tokens() < candidate.max_output_tokens) continue;
    scheduler_->remove(request);
    trace += " " + name + ":done";
  }
  return trace;
}

Request& Scenario::named(const std::string& name) {
  CHECK(requests_.contains(name));
  return requests_.at(name)->request;
}

const std::string& Scenario::name_of(const Request& request) const {
  return names_.at(&request);
}

}  // namespace twostroke

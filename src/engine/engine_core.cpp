#include "engine/engine_core.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/calibration.h"
#include "engine/record_keeping.h"

namespace twostroke {
namespace {

// The end of a request that samples nothing: what was held back of its text, and why it ends.
TokenEvent last_event(ActiveRequest& request, FinishReason reason) {
  TokenEvent event;
  event.text = request.output.flush();
  event.num_output_tokens = request.num_output_tokens();
  event.finish_reason = reason;
  return event;
}

GrammarWork grammar_work_of(const ActiveRequest& request) {
  if (!request.grammar) return {};
  return {.num_masks = request.grammar->num_masks(),
          .compile_ns = request.grammar_compile_ns,
          .mask_ns = request.grammar->mask_ns(),
          .wait_ns = request.grammar_wait_ns};
}

}  // namespace

EngineCore::EngineCore(const EngineConfig& config, Model& model, const TokenText& token_text,
                       const Clock& clock, CommandQueue& commands, EngineObserver& observer)
    : token_text_(token_text),
      clock_(clock),
      commands_(commands),
      kv_cache_(model.num_blocks(), model.block_size(), config.prefix_hash),
      scheduler_({.max_step_tokens = config.max_step_tokens,
                  .max_running = config.max_running,
                  .max_prefill_tokens_with_decode = config.max_prefill_tokens_with_decode},
                 kv_cache_),
      runner_(model, config.max_step_tokens, config.max_running),
      sampler_(static_cast<size_t>(model.vocab_size())),
      booking_(config.max_running, observer),
      targets_(cost_model_, config.target_itl_ns),
      observer_(observer),
      sampled_(static_cast<size_t>(config.max_running), SampledToken{}) {
  requests_.reserve(static_cast<size_t>(config.max_live_requests()));
  metrics_.num_blocks_total = model.num_blocks();
  update_gauges();
}

int64_t EngineCore::calibrate(const EngineConfig& config, Model& model) {
  CHECK_EQ(metrics_.num_steps.load(), 0);
  if (config.calibration_ns > 0) {
    twostroke::calibrate(model, clock_, config.max_step_tokens, config.calibration_ns, cost_model_);
  }
  if (config.target_itl_ns == EngineConfig::kMeasuredTarget) {
    targets_.set_target_itl_ns(default_target_itl_ns(cost_model_));
  }
  return targets_.target_itl_ns();
}

EngineCore::Turn EngineCore::turn(CommandQueue::Wait wait) {
  commands_.take(wait, inbox_);
  const bool had_commands = inbox_.any();
  const bool quit = inbox_.quit;
  apply(inbox_);
  if (quit) return Turn::kQuit;
  if (scheduler_.has_work()) {
    step();
    return Turn::kStepped;
  }
  return had_commands ? Turn::kStepped : Turn::kIdle;
}

void EngineCore::apply(Commands& commands) {
  for (std::unique_ptr<ActiveRequest>& request : commands.submitted) accept(std::move(request));
  for (const RequestId id : commands.cancelled) cancel(id);
  if (commands.cancel_all) cancel_all();
  if (commands.reset_ticket != 0) {
    kv_cache_.reset_prefix_cache();
    update_gauges();
    commands_.reset_done(commands.reset_ticket);
  }
  commands.clear();
}

void EngineCore::accept(std::unique_ptr<ActiveRequest> request) {
  book_intake(*request);
  if (request->grammar) grammar_worker_.advance(request->grammar, kNoToken);
  scheduler_.add(*request);
  publish_record(*request);
  note(*request, RequestChangeKind::kQueued, request->events.queued_ns);
  requests_.push_back(std::move(request));
}

void EngineCore::cancel(RequestId id) {
  const auto found = std::ranges::lower_bound(
      requests_, id, {}, [](const std::unique_ptr<ActiveRequest>& request) { return request->id; });
  if (found == requests_.end() || (*found)->id != id) return;  // it ended meanwhile
  ActiveRequest& request = **found;
  if (request.is_waiting) book_wait(request, clock_.now_ns());
  finish(request, last_event(request, FinishReason::kCancelled), std::nullopt);
}

void EngineCore::cancel_all() {
  while (!requests_.empty()) cancel(requests_.back()->id);
}

void EngineCore::step() {
  StepTimes times{.start_ns = clock_.now_ns()};
  const StepPlan& plan = scheduler_.schedule(targets_.limits());
  CHECK(!plan.empty());  // the oldest request can always go on
  times.forward_start_ns = clock_.now_ns();
  abort_.begin(plan);
  times.aborted = !runner_.forward(plan, abort_);
  abort_.end(times.aborted);
  times.forward_end_ns = clock_.now_ns();
  record(plan, times);
  step_record_.predicted_ns = booking_.book(scheduler_, plan, times, cost_model_);
  step_record_.sample_end_ns = times.forward_end_ns;
  if (!times.aborted) {  // else the same is planned again, without those who left
    sample(plan);
    step_record_.sample_end_ns = clock_.now_ns();
    scheduler_.complete(plan);
    publish(plan);
  }
  update_gauges();
  publish_records();
  step_record_.end_ns = clock_.now_ns();
  targets_.observe(step_record_.end_ns - times.start_ns,
                   times.forward_end_ns - times.forward_start_ns);
  observer_.on_step(step_record_, booking_.items());
}

// Others lose what the step had done for them, so they are hardly ever made to: only for a step
// that is mostly somebody's who left, and not twice in a row.
bool EngineCore::StepAbort::should_abort() {
  const int64_t cancelled = core_.commands_.num_cancelled_tokens(*plan_);
  if (cancelled == 0) return false;
  return cancelled == plan_->num_tokens ||
         (2 * cancelled > plan_->num_tokens && !last_was_aborted_);
}

void EngineCore::record(const StepPlan& plan, const StepTimes& times) {
  int64_t num_decode_tokens = 0;
  for (const ScheduledRequest& item : plan.scheduled) {
    const ActiveRequest& request = active(*item.request);
    if (request.is_decoding() && !request.is_recomputing(item.first_token)) ++num_decode_tokens;
    if (request.is_waiting && request.events.scheduled_ns < 0) {
      metrics_.num_prompt_tokens.fetch_add(request.num_prompt_tokens, std::memory_order_relaxed);
      metrics_.num_cached_tokens.fetch_add(request.num_cached_tokens, std::memory_order_relaxed);
    }
  }
  metrics_.num_steps.fetch_add(1, std::memory_order_relaxed);
  metrics_.num_preemptions.fetch_add(static_cast<int64_t>(plan.preempted.size()),
                                     std::memory_order_relaxed);
  step_record_ = {.start_ns = times.start_ns,
                  .forward_start_ns = times.forward_start_ns,
                  .forward_end_ns = times.forward_end_ns,
                  .target_ns = targets_.target_itl_ns(),
                  .num_prefill_tokens = plan.num_tokens - num_decode_tokens,
                  .num_decode_tokens = num_decode_tokens,
                  .num_waiting = scheduler_.num_waiting()};
}

void EngineCore::sample(const StepPlan& plan) {
  runner_.pool(plan);
  int row = 0;
  for (size_t i = 0; i < plan.scheduled.size(); ++i) {
    if (!plan.scheduled[i].needs_logits) continue;
    ActiveRequest& request = active(*plan.scheduled[i].request);
    std::span<float> logits = runner_.logits(row++);
    if (request.pooler) continue;
    sampled_[i] = sample_row(request, logits);
    const int64_t now = clock_.now_ns();
    if (sampled_[i].ok()) sampled_[i]->sampled_ns = now;
    request.ledger.book_until(now, Cause::kSample);
  }
}

Result<SampledToken> EngineCore::sample_row(ActiveRequest& request, std::span<float> logits) {
  if (request.grammar) {
    const int64_t start_ns = clock_.now_ns();
    const Status status = grammar_worker_.wait(*request.grammar);
    request.grammar_wait_ns += clock_.now_ns() - start_ns;
    if (!status.ok()) return status.error();
  }
  return sample_token(sampler_, logits, request, token_text_);
}

// May end requests, which are then gone: each item of the plan is looked at once.
void EngineCore::publish(const StepPlan& plan) {
  for (size_t i = 0; i < plan.scheduled.size(); ++i) {
    ActiveRequest& request = active(*plan.scheduled[i].request);
    if (request.return_progress && !request.is_decoding()) publish_progress(request);
    if (!plan.scheduled[i].needs_logits) continue;
    if (request.pooler) {
      finish(request, last_event(request, FinishReason::kStop), std::nullopt);
    } else {
      publish_token(request, sampled_[i]);
    }
  }
}

void EngineCore::publish_token(ActiveRequest& request, Result<SampledToken>& result) {
  if (!result.ok()) {
    finish(request, last_event(request, FinishReason::kError), result.error());
    return;
  }
  SampledToken& sampled = *result;
  request.tokens.push_back(sampled.token);
  metrics_.num_output_tokens.fetch_add(1, std::memory_order_relaxed);
  if (request.events.first_token_ns < 0) {
    request.events.first_token_ns = sampled.sampled_ns;
    note(request, RequestChangeKind::kFirstToken, sampled.sampled_ns);
  }
  request.record->add_sampled(sampled.sampled_ns);
  request.events.last_token_ns = sampled.sampled_ns;
  const int num_output_tokens = request.num_output_tokens();
  OutputProcessor::Output output = request.output.append(sampled.token, num_output_tokens);
  TokenEvent event{.token = sampled.token,
                   .text = std::move(output.text),
                   .sampled_ns = sampled.sampled_ns,
                   .num_output_tokens = num_output_tokens,
                   .logprob = sampled.logprob,
                   .top_logprobs = std::move(sampled.top_logprobs),
                   .finish_reason = output.finish_reason};
  if (output.finish_reason == FinishReason::kNone) {
    if (request.grammar) grammar_worker_.advance(request.grammar, sampled.token);
    request.stream->push(std::move(event));
  } else {
    finish(request, std::move(event), std::nullopt);
  }
}

void EngineCore::publish_progress(ActiveRequest& request) {
  const int64_t elapsed_ns = clock_.now_ns() - request.events.scheduled_ns;
  request.stream->push_progress({.total = request.num_prompt_tokens,
                                 .cached = request.num_cached_tokens,
                                 .processed = request.num_computed_tokens,
                                 .time_ms = static_cast<double>(elapsed_ns) * 1e-6});
}

// Whatever ends a request ends it here. It is forgotten before its stream is told, so that who
// hears of the end finds room for the next request.
void EngineCore::finish(ActiveRequest& request, TokenEvent last, std::optional<Error> error) {
  scheduler_.remove(request);
  const int64_t now = clock_.now_ns();
  request.ledger.book_until(now, Cause::kEngine);
  request.events.finished_ns = request.ledger.booked_until_ns();
  if (last.sampled_ns == 0) last.sampled_ns = now;
  RequestSummary summary{.id = request.id,
                         .num_prompt_tokens = request.num_prompt_tokens,
                         .num_cached_tokens = request.num_cached_tokens,
                         .num_output_tokens = request.num_output_tokens(),
                         .num_steps = request.num_steps,
                         .num_preemptions = request.num_preemptions,
                         .finish_reason = last.finish_reason,
                         .embedding = last.finish_reason == FinishReason::kStop && request.pooler
                                          ? request.pooler->result()
                                          : std::vector<float>(),
                         .grammar = grammar_work_of(request),
                         .error = std::move(error),
                         .stop_string = request.output.stop_string(),
                         .events = request.events,
                         .ledger = request.ledger,
                         .interference = request.interference.summary(),
                         .waited_for = request.waited_for.summary(),
                         .cache_prompt = request.cache_prompt,
                         .kv_block_tokens = kv_cache_.block_size()};
  publish_end(request, last.finish_reason);
  note(request, RequestChangeKind::kEnded, now);
  const std::shared_ptr<TokenStream> stream = std::move(request.stream);
  const auto found = std::ranges::lower_bound(requests_, request.id, {},
                                              [](const auto& candidate) { return candidate->id; });
  CHECK(found != requests_.end() && found->get() == &request);
  requests_.erase(found);
  update_gauges();
  commands_.retire(summary.id);
  stream->push(std::move(last));
  stream->finish(std::move(summary));
}

void EngineCore::update_gauges() {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  metrics_.num_running.store(scheduler_.num_running(), kRelaxed);
  metrics_.num_waiting.store(scheduler_.num_waiting(), kRelaxed);
  metrics_.num_blocks_free.store(kv_cache_.pool().num_free(), kRelaxed);
  metrics_.num_blocks_cached.store(kv_cache_.pool().num_cached(), kRelaxed);
  const BlockPool& pool = kv_cache_.pool();
  observer_.on_kv({.at_ns = clock_.now_ns(),
                   .total = pool.num_blocks(),
                   .free = pool.num_free(),
                   .cached = pool.num_cached(),
                   .in_use = pool.num_referenced(),
                   .shared = pool.num_shared()});
}

// What others see of everyone who lives, and of the blocks.
void EngineCore::publish_records() {
  for (const std::unique_ptr<ActiveRequest>& request : requests_) publish_record(*request);
  observer_.on_cost_model(cost_model_);
}

void EngineCore::note(const ActiveRequest& request, RequestChangeKind kind, int64_t at_ns) {
  observer_.on_change({.request = request.id, .kind = kind, .at_ns = at_ns});
}

void EngineCore::check_invariants() const {
  scheduler_.check_invariants();
  CHECK_EQ(requests_.size(),
           static_cast<size_t>(scheduler_.num_running() + scheduler_.num_waiting()));
  for (const std::unique_ptr<ActiveRequest>& request : requests_) {
    int64_t booked = 0;
    for (const int64_t ns : request->ledger.causes_ns()) {
      CHECK_GE(ns, 0);
      booked += ns;
    }
    CHECK_EQ(booked, request->ledger.total_ns());
    CHECK_EQ(request->is_waiting, request->state == RequestState::kWaiting);
  }
}

}  // namespace twostroke

#include "server/observed_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace twostroke {
namespace {

RequestJournal::Record find_record(std::string_view id, const RequestJournal& journal) {
  RequestId number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error == std::errc() && end == id.data() + id.size()) return journal.find(number);
  const auto records = journal.find_reply(id);
  return records.empty() ? nullptr : records.front();
}

std::vector<Culprit> culprits_of(const BlameSummary& blame) {
  std::vector<Culprit> out;
  for (const Blame& one : blame.top) {
    if (one.ns > 0) out.push_back({one.request, std::string(step_phase_name(one.phase)), one.ns});
  }
  return out;
}

// How near the machine's limits its own tokens ran, in the time that they cost.
void add_limits(const MachineReport& machine, const Ledger& ledger, ExplainInput& input) {
  const Roofline roofline = roofline_of(machine, input.num_prompt_tokens, input.num_cached_tokens,
                                        input.num_output_tokens, ledger);
  if (machine.limits.macs_per_second > 0) {
    input.prefill_percent_of_peak =
        100 * roofline.prefill_macs_per_second / machine.limits.macs_per_second;
  }
  if (machine.limits.read_bytes_per_second > 0) {
    input.decode_percent_of_bandwidth =
        100 * roofline.decode_bytes_per_second / machine.limits.read_bytes_per_second;
  }
}

}  // namespace

Result<ObservedRequest> find_observed(std::string_view path, const Serving& serving) {
  constexpr std::string_view kStart = "/v1/requests/";
  path.remove_prefix(std::min(kStart.size(), path.size()));
  const std::string_view id = path.substr(0, path.find('/'));
  const EngineObserver& observer = serving.context->engine.observer();
  ObservedRequest request;
  request.record = find_record(id, observer.journal());
  if (request.record == nullptr) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("there is no request {}; the last {} that ended are remembered", id,
                             observer.journal().num_finished_kept()),
                 "id"};
  }
  request.progress = request.record->progress();
  if (serving.prompts != nullptr) {
    request.prompt = serving.prompts->find(request.record->about().id);
  }
  if (request.prompt != nullptr) {
    request.report = report_on_prompt(*request.prompt, *serving.prompts, observer,
                                      serving.context->model.info().kv_block_tokens, {});
  }
  return request;
}

ExplainInput explain_input_of(const ObservedRequest& request, const EngineObserver& observer) {
  const RequestProgress& progress = request.progress;
  ExplainInput input;
  input.causes_ns = progress.ledger.causes_ns();
  input.intervals = intervals_of(progress.events, progress.num_output_tokens);
  input.num_prompt_tokens = request.record->about().num_prompt_tokens;
  input.num_cached_tokens = progress.num_cached_tokens;
  input.num_output_tokens = progress.num_output_tokens;
  input.num_preemptions = progress.num_preemptions;
  input.spans = request.report.spans;
  input.costs = request.report.costs;
  input.cache = request.report.loss;
  input.waited_for = culprits_of(progress.waited_for);
  input.interference = culprits_of(progress.interference);
  input.cost_model = observer.cost_model().recent_error();
  add_limits(observer.machine(), progress.ledger, input);
  return input;
}

}  // namespace twostroke

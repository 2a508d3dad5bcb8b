// A request that is looked at after (or while) it ran: its record, its prompt and what is said
// about both. Found by the id in a path: the engine's number, or the reply's id.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/engine_observer.h"
#include "server/prompt_report.h"
#include "server/reply.h"

namespace twostroke {

struct ObservedRequest {
  RequestJournal::Record record;
  RequestProgress progress;
  PromptArchive::Prompt prompt;  // null: not (or no longer) kept
  PromptReport report;           // empty without a prompt
};

// `path` is /v1/requests/{id}/NAME. kNotFound when the request is not kept any more. REQUIRES:
// serving.context.
Result<ObservedRequest> find_observed(std::string_view path, const Serving& serving);

// What explain() looks at.
ExplainInput explain_input_of(const ObservedRequest& request, const EngineObserver& observer);

}  // namespace twostroke

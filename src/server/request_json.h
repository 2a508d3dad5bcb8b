// Records -> the objects of GET /v1/requests and /v1/requests/{id} (docs/phases-api.md). Pure
// formatting; never a prompt's or an answer's text.
#pragma once

#include "engine/engine_observer.h"
#include "server/json_text.h"

namespace twostroke {

// Three decimals, as all milliseconds outside.
double ms_of(int64_t ns);

OrderedJson request_row_json(const RequestRecord& record);
OrderedJson request_detail_json(const RequestRecord& record, const EngineObserver& observer);
OrderedJson kv_json(const KvCounts& counts);
OrderedJson cost_model_json(const EngineObserver& observer);

// What the record says of the request, in the form that replies are made from.
RequestSummary summary_of(const RequestRecord& record, int kv_block_tokens);

}  // namespace twostroke

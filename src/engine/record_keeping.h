// Copies a request's state into its record, where others see it. Engine thread only.
#pragma once

#include "engine/active_request.h"

namespace twostroke {

// A request that lives.
void publish_record(ActiveRequest& request);
// One that ends for `reason`, its ledger closed. Where an answer is to be delivered, the record
// stays open for that.
void publish_end(ActiveRequest& request, FinishReason reason);

}  // namespace twostroke

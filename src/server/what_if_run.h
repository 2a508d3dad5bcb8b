// Runs the request that a what-if speaks of, and tells what was predicted beside what was measured.
// It has the size of the changed request and made-up tokens: how long a step takes does not depend
// on which tokens are in it, so no prompt need be kept to try one. Its KV is shared with nobody.
#pragma once

#include <memory>

#include "phases/what_if.h"
#include "server/json_text.h"
#include "server/reply.h"

namespace twostroke {

struct WhatIf {
  RequestId request = 0;
  RequestSize measured, changed;
  RequestIntervals intervals;  // as measured
  Prediction as_it_was;        // the measured request, on a server of its own
  Prediction prediction;       // the changed one
  CostModelError error;        // the cost model's own record
};

OrderedJson what_if_json(const WhatIf& question);

// A whole reply: what_if_json() and "verified". REQUIRES: serving.context.
std::unique_ptr<ReplySource> verify_what_if(WhatIf question, const HttpRequest& http,
                                            const Serving& serving);

}  // namespace twostroke

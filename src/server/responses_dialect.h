// The Responses API's words for an answer: the response object, its output items, and the events of
// a stream with their sequence numbers.
#pragma once

#include <memory>

#include "server/dialect.h"
#include "server/response_store.h"
#include "server/responses_request.h"

namespace twostroke {

// When the answer is over and `request.store` says so, it goes into `store`.
std::unique_ptr<ReplyDialect> make_responses_dialect(const ReplyHead& head,
                                                     ResponsesRequest request,
                                                     std::shared_ptr<ResponseStore> store);

}  // namespace twostroke

// The limits a request must keep before it enters the queue: the one place where they are checked.
#pragma once

#include "base/result.h"
#include "engine/engine_client.h"
#include "engine/engine_config.h"

namespace twostroke {

struct ModelLimits {
  int vocab_size = 0;
  int max_model_len = 0;  // prompt and output together
};

// Errors name the field, the limit and the value; prompts that are too long are kTooLarge, all else
// kInvalidArgument.
Status check_request(const RequestInput& input, const EngineConfig& config,
                     const ModelLimits& limits);

}  // namespace twostroke

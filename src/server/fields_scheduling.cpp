#include <nlohmann/json.hpp>

#include "server/request_fields.h"
#include "server/request_groups.h"

namespace twostroke {

using json = nlohmann::ordered_json;

Status read_scheduling_fields(const json& body, const FieldContext& context,
                              GenerationRequest& request) {
  request.cache_salt =
      TRY(read_string(body, "cache_salt", context.options.max_cache_salt_bytes)).value_or("");
  return read_into(body, "cache_prompt", request.cache_prompt);
}

}  // namespace twostroke

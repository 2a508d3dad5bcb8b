// ClientRecords as JSON, a line each, and as CSV. Times in ms since the run's start, exact to the
// nanosecond; what never happened is left out.
#pragma once

#include <string>
#include <vector>

#include "measure/client_record.h"
#include "measure/json_value.h"

namespace twostroke {

Json record_json(const ClientRecord& record);
// The inverse. kInvalidArgument with the key when something is missing or of another type.
Result<ClientRecord> record_from_json(const Json& value);

std::string records_jsonl(const std::vector<ClientRecord>& records);
// One row a request, with its metrics; no chunks.
std::string records_csv(const std::vector<ClientRecord>& records);

}  // namespace twostroke

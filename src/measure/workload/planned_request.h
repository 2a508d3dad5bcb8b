// PlannedRequest: one request of a load run, ready to send.
#pragma once

#include <cstdint>
#include <string>

namespace twostroke {

struct PlannedRequest {
  int index = 0;
  std::string path;       // "/v1/chat/completions"
  std::string body;       // JSON
  int prompt_tokens = 0;  // as planned; 0: the workload does not say
  int output_tokens = 0;
};

}  // namespace twostroke

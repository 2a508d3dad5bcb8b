// ToolRequest: which tools a chat request offers and how they may be used, as plain data; read from
// tools, tool_choice and parallel_tool_calls.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "prompt/reply_format.h"
#include "server/server_options.h"

namespace twostroke {

struct Tool {
  std::string name;
  nlohmann::ordered_json parameters;  // a JSON schema; an empty object: anything
};

struct ToolRequest {
  std::vector<Tool> tools;  // empty: none, or none wanted
  bool must_call = false;   // the answer is a call of one of the tools
  std::string only;         // with must_call: of this one
  bool parallel = true;     // more than one call an answer

  std::vector<std::string> names() const;
};

Result<ToolRequest> parse_tool_request(const nlohmann::ordered_json& body,
                                       const ServerOptions& options);

// The format a forced call is written in: the model's own where its calls are plain text around
// JSON, else {"name": …, "parameters": …}.
ToolCallFormat forced_call_format(ToolCallFormat format);
// A grammar (llguidance's Lark) of exactly one call of the tools allowed, or with `parallel` of one
// or more. kTooLarge (field "tools[i]"): a schema is nested too deep. REQUIRES: request.must_call;
// `format` is one of forced_call_format().
Result<std::string> forced_call_grammar(const ToolRequest& request, ToolCallFormat format);

}  // namespace twostroke

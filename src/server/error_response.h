// Errors as the outside sees them: OpenAI's body {"error": {message, type, param, code}}, or on
// Anthropic's paths {"type": "error", "error": {type, message}}, and the status. The only file
// (with its .cpp) that maps an error to a status code.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "server/reply.h"

namespace twostroke {

// Failures of the HTTP layer itself, before or instead of a handler.
enum class HttpFault {
  kMalformedRequest,
  kHeaderTooLarge,
  kBodyTooLarge,
  kTimeout,
  kExpectationFailed,
  kPathNotFound,
  kMethodNotAllowed,
  kTooManyConnections,
  kLoading,
  kDraining,
  kInternal,
};

enum class ErrorStyle { kOpenAi, kAnthropic };
// The style that clients of a path expect.
ErrorStyle error_style_of(std::string_view path);

Reply fault_reply(HttpFault fault, std::string_view message,
                  ErrorStyle style = ErrorStyle::kOpenAi);
// By error.code; error.field becomes `param`.
Reply error_reply(const Error& error, ErrorStyle style = ErrorStyle::kOpenAi);
// The body alone, for an error in the middle of a stream.
std::string error_body(const Error& error);

}  // namespace twostroke

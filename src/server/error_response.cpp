#include "server/error_response.h"

#include <nlohmann/json.hpp>

#include "server/json_text.h"

namespace twostroke {
namespace {

struct Kind {
  int status;
  const char* type;
  const char* code;  // nullptr: null
};

Kind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return {400, "invalid_request_error", nullptr};
    case ErrorCode::kUnsupported:
      return {400, "invalid_request_error", "unsupported"};
    case ErrorCode::kTooLarge:
      return {400, "invalid_request_error", "context_length_exceeded"};
    case ErrorCode::kNotFound:
      return {404, "invalid_request_error", "not_found"};
    case ErrorCode::kOverloaded:
      return {503, "server_overloaded", "overloaded"};
    case ErrorCode::kCancelled:
      return {503, "server_error", "cancelled"};
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
      break;
  }
  return {500, "server_error", nullptr};
}

Kind kind_of(HttpFault fault) {
  switch (fault) {
    case HttpFault::kMalformedRequest:
      return {400, "invalid_request_error", "malformed_http"};
    case HttpFault::kHeaderTooLarge:
      return {431, "invalid_request_error", "header_too_large"};
    case HttpFault::kBodyTooLarge:
      return {413, "invalid_request_error", "body_too_large"};
    case HttpFault::kTimeout:
      return {408, "invalid_request_error", "request_timeout"};
    case HttpFault::kExpectationFailed:
      return {417, "invalid_request_error", "expectation_failed"};
    case HttpFault::kPathNotFound:
      return {404, "invalid_request_error", "unknown_url"};
    case HttpFault::kMethodNotAllowed:
      return {405, "invalid_request_error", "method_not_allowed"};
    case HttpFault::kTooManyConnections:
      return {503, "server_overloaded", "too_many_connections"};
    case HttpFault::kLoading:
      return {503, "unavailable_error", "loading"};
    case HttpFault::kDraining:
      return {503, "unavailable_error", "shutting_down"};
    case HttpFault::kInternal:
      break;
  }
  return {500, "server_error", "internal_error"};
}

std::string body_of(const Kind& kind, std::string_view message, std::string_view param) {
  OrderedJson error = {
      {"message", message}, {"type", kind.type}, {"param", nullptr}, {"code", nullptr}};
  if (!param.empty()) error["param"] = param;
  if (kind.code != nullptr) error["code"] = kind.code;
  return dump_json({{"error", std::move(error)}});
}

// Anthropic's names; a server that has no room is 529 there.
const char* anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

std::string anthropic_body_of(const Kind& kind, std::string_view message, std::string_view param) {
  std::string text(message);
  // The shape has no place for the field's name but the message.
  if (!param.empty() && text.find(param) == text.npos) text = std::string(param) + ": " + text;
  return dump_json(
      {{"type", "error"}, {"error", {{"type", anthropic_type(kind.status)}, {"message", text}}}});
}

Reply reply_of(const Kind& kind, std::string_view message, std::string_view param,
               ErrorStyle style) {
  Reply reply;
  reply.status = kind.status;
  reply.body = style == ErrorStyle::kOpenAi ? body_of(kind, message, param)
                                            : anthropic_body_of(kind, message, param);
  // A second is about one request's share of a busy small machine; the cost model will know better.
  if (kind.status == 503) reply.headers.emplace_back("Retry-After", "1");
  if (kind.status == 503 && style == ErrorStyle::kAnthropic) reply.status = 529;
  return reply;
}

}  // namespace

ErrorStyle error_style_of(std::string_view path) {
  return path.starts_with("/v1/messages") ? ErrorStyle::kAnthropic : ErrorStyle::kOpenAi;
}

Reply fault_reply(HttpFault fault, std::string_view message, ErrorStyle style) {
  return reply_of(kind_of(fault), message, {}, style);
}

Reply error_reply(const Error& error, ErrorStyle style) {
  return reply_of(kind_of(error.code), error.message, error.field, style);
}

std::string error_body(const Error& error) {
  return body_of(kind_of(error.code), error.message, error.field);
}

}  // namespace twostroke

#include "measure/client_record.h"

#include <array>
#include <utility>

namespace twostroke {
namespace {

constexpr std::array<std::pair<ClientErrorKind, const char*>, 10> kErrorNames = {{
    {ClientErrorKind::kNone, "none"},
    {ClientErrorKind::kConnect, "connect"},
    {ClientErrorKind::kTimeout, "timeout"},
    {ClientErrorKind::kRefused, "refused"},
    {ClientErrorKind::kHttpStatus, "http_status"},
    {ClientErrorKind::kServerError, "server_error"},
    {ClientErrorKind::kDisconnected, "disconnected"},
    {ClientErrorKind::kMalformed, "malformed"},
    {ClientErrorKind::kNoTokens, "no_tokens"},
    {ClientErrorKind::kCancelled, "cancelled"},
}};

constexpr std::array<std::pair<TokenSource, const char*>, 3> kSourceNames = {{
    {TokenSource::kChunks, "chunks"},
    {TokenSource::kContinuousUsage, "continuous_usage"},
    {TokenSource::kSpread, "spread"},
}};

}  // namespace

const char* error_kind_name(ClientErrorKind kind) {
  for (const auto& [value, name] : kErrorNames) {
    if (value == kind) return name;
  }
  return "none";
}

ClientErrorKind error_kind_from(const std::string& name) {
  for (const auto& [value, known] : kErrorNames) {
    if (name == known) return value;
  }
  return ClientErrorKind::kNone;
}

const char* token_source_name(TokenSource source) {
  for (const auto& [value, name] : kSourceNames) {
    if (value == source) return name;
  }
  return "chunks";
}

TokenSource token_source_from(const std::string& name) {
  for (const auto& [value, known] : kSourceNames) {
    if (name == known) return value;
  }
  return TokenSource::kChunks;
}

}  // namespace twostroke

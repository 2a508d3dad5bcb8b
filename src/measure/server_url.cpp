#include "measure/server_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace twostroke {
namespace {

Error bad_url(std::string_view text, std::string_view what) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("'{}': {}; expected http://HOST:PORT", text, what), "url"};
}

bool is_port(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0 && value < 65536;
}

// A header is made of it, so nothing that could end a line or a word.
bool is_harmless(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

std::string ServerUrl::host_header() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

std::string ServerUrl::text() const {
  return "http://" + host_header() + base_path;
}

Result<ServerUrl> parse_server_url(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("'{}': https is not spoken here; measure over http, behind the proxy "
                             "that ends TLS",
                             text),
                 "url"};
  }
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.find("://") != std::string_view::npos) {
    return bad_url(text, "unknown scheme");
  }
  if (!is_harmless(rest)) return bad_url(text, "a character that no URL has");
  ServerUrl url;
  const size_t slash = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  if (path.find_first_of("?#") != std::string_view::npos) return bad_url(text, "has a query");
  if (authority.find('@') != std::string_view::npos) {
    return bad_url(text, "has a user name; a key goes into --api-key");
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with("/v1")) path.remove_suffix(3);
  url.base_path = path;
  std::string_view port = "80";
  if (authority.starts_with('[')) {
    const size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad_url(text, "'[' without ']'");
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
    if (!authority.empty() && !authority.starts_with(':')) return bad_url(text, "junk after ']'");
    if (!authority.empty()) port = authority.substr(1);
  } else {
    const size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return bad_url(text, "no host");
  if (!is_port(port)) return bad_url(text, fmt::format("'{}' is no port", port));
  url.port = port;
  return url;
}

}  // namespace twostroke

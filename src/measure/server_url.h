// ServerUrl: where a measured server is, taken apart.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace twostroke {

struct ServerUrl {
  std::string host;       // name or address, without brackets
  std::string port;       // decimal
  std::string base_path;  // in front of "/v1/…"; empty or "/something", no slash at the end

  // "/proxy" + "/v1/models"
  std::string target(std::string_view path) const { return base_path + std::string(path); }
  std::string host_header() const;
  std::string text() const;  // "http://127.0.0.1:8080"
};

// "http://host", "http://host:8080/v1", "host:8080", "http://[::1]:8080". A trailing "/v1" is the
// API's own and dropped. kUnsupported for https, kInvalidArgument for anything else, saying what.
Result<ServerUrl> parse_server_url(std::string_view text);

}  // namespace twostroke

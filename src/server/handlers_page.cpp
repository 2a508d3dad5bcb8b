// The page and its files: gzipped as they are embedded, unpacked for clients that do not take gzip.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/check.h"
#include "server/error_response.h"
#include "server/gzip.h"
#include "server/handlers.h"
#include "server/page_assets.h"

namespace twostroke {
namespace {

// Nothing but our own files and our own endpoints; no inline script or style, no eval, no text that
// becomes markup (Svelte's own templates are the only ones), no framing.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html";

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Calls use(item) for each item of a comma-separated header.
template <typename F>
void for_each_item(std::string_view header, F use) {
  while (!header.empty()) {
    const size_t comma = std::min(header.find(','), header.size());
    use(trim(header.substr(0, comma)));
    header.remove_prefix(std::min(comma + 1, header.size()));
  }
}

// "gzip" and "gzip;q=0.5", not "gzip;q=0"; "*" stands for what is not named.
bool takes_gzip(std::string_view accept_encoding) {
  bool named = false;
  bool takes = false;
  for_each_item(accept_encoding, [&](std::string_view item) {
    const size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view coding = trim(item.substr(0, semicolon));
    const bool is_gzip = coding == "gzip" || coding == "x-gzip";
    if (!is_gzip && (coding != "*" || named)) return;
    std::string_view weight = trim(item.substr(std::min(semicolon + 1, item.size())));
    const bool is_zero = weight.starts_with("q=0") &&
                         weight.substr(3).find_first_of("123456789") == std::string_view::npos;
    named = named || is_gzip;
    takes = !is_zero;
  });
  return takes;
}

// If-None-Match compares weakly.
bool matches_tag(std::string_view if_none_match, std::string_view tag) {
  bool matches = false;
  for_each_item(if_none_match, [&](std::string_view item) {
    if (item.starts_with("W/")) item.remove_prefix(2);
    matches = matches || item == "*" || item == tag;
  });
  return matches;
}

}  // namespace

Reply handle_page(const HttpRequest& request, const Serving&) {
  const auto assets = page_assets();
  const auto asset = std::ranges::find(assets, request.path, &PageAsset::path);
  if (asset == assets.end()) {
    return fault_reply(HttpFault::kPathNotFound,
                       fmt::format("there is nothing at {}", request.path));
  }
  const bool packed = takes_gzip(request.accept_encoding);
  const std::string tag = fmt::format("\"{}{}\"", asset->tag, packed ? "-gzip" : "");
  Reply reply;
  reply.content_type = asset->content_type;
  reply.headers = {
      {"ETag", tag},
      {"Vary", "Accept-Encoding"},
      {"Cache-Control", asset->hashed_name ? "public, max-age=31536000, immutable" : "no-cache"},
      {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
  };
  if (matches_tag(request.if_none_match, tag)) {
    reply.status = 304;
    return reply;
  }
  if (packed) {
    reply.headers.emplace_back("Content-Encoding", "gzip");
    reply.body.assign(asset->gzip.begin(), asset->gzip.end());
    return reply;
  }
  Result<std::string> text = gunzip(asset->gzip, asset->num_bytes);
  CHECK(text.ok());  // we packed it
  reply.body = std::move(*text);
  return reply;
}

}  // namespace twostroke

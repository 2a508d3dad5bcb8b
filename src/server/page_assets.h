// The page (web/), as it was built and embedded: a table of gzipped files. scripts/build_page
// writes the definition into the build folder. Immutable; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace twostroke {

struct PageAsset {
  std::string_view path;  // as asked for: "/", "/assets/index-D3x.js"
  std::string_view content_type;
  std::string_view tag;  // of the content
  bool hashed_name;      // another content has another name: may be kept for ever
  size_t num_bytes;      // unpacked
  std::span<const unsigned char> gzip;
};

std::span<const PageAsset> page_assets();

}  // namespace twostroke

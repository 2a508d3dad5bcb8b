// Internal to gguf: bytes from a file made fit for a message or a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace twostroke {

// Quoted; control characters and bytes outside ASCII that are not valid UTF-8 as \xNN; cut after
// `max_bytes` with "…".
std::string gguf_quoted(std::string_view bytes, size_t max_bytes = 80);

}  // namespace twostroke

// gzip (RFC 1952) for what is embedded packed. Pure function.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/result.h"

namespace twostroke {

// One member without optional fields, as zlib writes it, that unpacks to exactly num_bytes;
// kInvalidArgument otherwise.
Result<std::string> gunzip(std::span<const unsigned char> packed, size_t num_bytes);

}  // namespace twostroke

// The few types that every room speaks: tokens and request ids.
#pragma once

#include <cstdint>

namespace twostroke {

using TokenId = int32_t;     // index into the vocabulary; negative means "none"
using RequestId = uint64_t;  // unique for one engine's life, never reused; 0 means "none"
using BlockId = int32_t;     // index of a KV block in the pool; negative means "none"

inline constexpr TokenId kNoToken = -1;
inline constexpr BlockId kNoBlock = -1;

}  // namespace twostroke

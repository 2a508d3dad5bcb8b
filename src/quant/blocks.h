// Internal to quant: the loop over blocks that every block type's dequantize() is, the 6-bit scales
// that Q4_K and Q5_K share, and the non-linear table that the IQ4 types share.
#pragma once

#include <cstdint>

#include "base/check.h"

namespace twostroke {

// Calls `decode(block bytes, float[kElements])` for each block.
template <int kElements, int kBytes, void (*decode)(const uint8_t*, float*)>
void dequantize_blocks(const uint8_t* src, float* dst, int64_t num_elements) {
  CHECK_EQ(num_elements % kElements, 0);
  for (int64_t i = 0; i < num_elements / kElements; ++i) {
    decode(src + i * kBytes, dst + i * kElements);
  }
}

inline int low_nibble(uint8_t byte) {
  return byte & 0x0f;
}
inline int high_nibble(uint8_t byte) {
  return byte >> 4;
}

// Sub-block `index` (0 to 7) of the 12 scale bytes of Q4_K and Q5_K: eight 6-bit scales, eight
// 6-bit minima. The first four of each lie whole in bytes 0-3 and 4-7; the last four have their low
// nibbles in bytes 8-11 and their upper two bits on top of the first four.
inline int k_scale(const uint8_t* scales, int index) {
  if (index < 4) return scales[index] & 0x3f;
  return (scales[index + 4] & 0x0f) | ((scales[index - 4] >> 2) & 0x30);
}

inline int k_min(const uint8_t* scales, int index) {
  if (index < 4) return scales[index + 4] & 0x3f;
  return (scales[index + 4] >> 4) | ((scales[index] >> 2) & 0x30);
}

// The code book of IQ4_NL and IQ4_XS.
inline constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

}  // namespace twostroke

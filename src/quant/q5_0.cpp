// Q5_0, 32 elements in 22 bytes: f16 d | 32 fifth bits, element i in bit i | 16 bytes of nibbles
// (element i low, element i + 16 high). value = d * (q - 16).
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 32;
constexpr int kBytes = 22;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block);
  const uint32_t high = load_u16(block + 2) | (static_cast<uint32_t>(load_u16(block + 4)) << 16);
  const uint8_t* codes = block + 6;
  for (int i = 0; i < 16; ++i) {
    const int q0 = low_nibble(codes[i]) | static_cast<int>(((high >> i) & 1U) << 4);
    const int q1 = high_nibble(codes[i]) | static_cast<int>(((high >> (i + 16)) & 1U) << 4);
    dst[i] = d * static_cast<float>(q0 - 16);
    dst[i + 16] = d * static_cast<float>(q1 - 16);
  }
}

}  // namespace

const QuantTraits kTraitsQ5_0 = {QuantType::kQ5_0, "Q5_0", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

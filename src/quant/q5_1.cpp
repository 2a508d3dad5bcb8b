// Q5_1, 32 elements in 24 bytes: f16 d | f16 m | 32 fifth bits, element i in bit i | 16 bytes of
// nibbles (element i low, element i + 16 high). value = d * q + m.
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 32;
constexpr int kBytes = 24;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block);
  const float m = load_f16(block + 2);
  const uint32_t high = load_u16(block + 4) | (static_cast<uint32_t>(load_u16(block + 6)) << 16);
  const uint8_t* codes = block + 8;
  for (int i = 0; i < 16; ++i) {
    const int q0 = low_nibble(codes[i]) | static_cast<int>(((high >> i) & 1U) << 4);
    const int q1 = high_nibble(codes[i]) | static_cast<int>(((high >> (i + 16)) & 1U) << 4);
    dst[i] = d * static_cast<float>(q0) + m;
    dst[i + 16] = d * static_cast<float>(q1) + m;
  }
}

}  // namespace

const QuantTraits kTraitsQ5_1 = {QuantType::kQ5_1, "Q5_1", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

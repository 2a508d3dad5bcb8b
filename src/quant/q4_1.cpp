// Q4_1, 32 elements in 20 bytes: f16 d | f16 m | 16 bytes of nibbles (element i low, element i + 16
// high). value = d * q + m.
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 32;
constexpr int kBytes = 20;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block);
  const float m = load_f16(block + 2);
  const uint8_t* codes = block + 4;
  for (int i = 0; i < 16; ++i) {
    dst[i] = d * static_cast<float>(low_nibble(codes[i])) + m;
    dst[i + 16] = d * static_cast<float>(high_nibble(codes[i])) + m;
  }
}

}  // namespace

const QuantTraits kTraitsQ4_1 = {QuantType::kQ4_1, "Q4_1", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

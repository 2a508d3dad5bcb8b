// Q4_0, 32 elements in 18 bytes: f16 d | 16 bytes of nibbles (element i low, element i + 16 high).
// value = d * (q - 8).
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 32;
constexpr int kBytes = 18;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block);
  const uint8_t* codes = block + 2;
  for (int i = 0; i < 16; ++i) {
    dst[i] = d * static_cast<float>(low_nibble(codes[i]) - 8);
    dst[i + 16] = d * static_cast<float>(high_nibble(codes[i]) - 8);
  }
}

}  // namespace

const QuantTraits kTraitsQ4_0 = {QuantType::kQ4_0, "Q4_0", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

// Q4_K, 256 elements in 144 bytes: f16 d | f16 dmin | 12 bytes of 6-bit scales and minima, one pair
// per 32 elements | 128 bytes of nibbles: each 32 bytes hold 64 elements, the first 32 low, the
// next 32 high. value = (d * scale) * q - (dmin * min).
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 256;
constexpr int kBytes = 144;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block);
  const float dmin = load_f16(block + 2);
  const uint8_t* scales = block + 4;
  const uint8_t* codes = block + 16;
  for (int group = 0; group < 8; ++group) {  // of 32 elements
    const float scale = d * static_cast<float>(k_scale(scales, group));
    const float min = dmin * static_cast<float>(k_min(scales, group));
    const uint8_t* bytes = codes + (group / 2) * 32;
    const int shift = (group % 2) * 4;
    for (int i = 0; i < 32; ++i) {
      dst[group * 32 + i] = scale * static_cast<float>((bytes[i] >> shift) & 0x0f) - min;
    }
  }
}

}  // namespace

const QuantTraits kTraitsQ4_K = {QuantType::kQ4_K, "Q4_K", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

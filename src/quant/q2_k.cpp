// Q2_K, 256 elements in 84 bytes: 16 bytes (scale low nibble, min high nibble, one per 16 elements)
// | 64 bytes of 2-bit codes | f16 d | f16 dmin. Each 32 code bytes hold 128 elements: bits 2j, 2j +
// 1 are elements 32j to 32j + 31. value = (d * scale) * q - (dmin * min).
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 256;
constexpr int kBytes = 84;

void decode(const uint8_t* block, float* dst) {
  const uint8_t* scales = block;
  const uint8_t* codes = block + 16;
  const float d = load_f16(block + 80);
  const float dmin = load_f16(block + 82);
  for (int group = 0; group < 16; ++group) {  // of 16 elements
    const float scale = d * static_cast<float>(low_nibble(scales[group]));
    const float min = dmin * static_cast<float>(high_nibble(scales[group]));
    const uint8_t* bytes = codes + (group / 8) * 32 + (group % 2) * 16;
    const int shift = (group / 2 % 4) * 2;
    for (int i = 0; i < 16; ++i) {
      dst[group * 16 + i] = scale * static_cast<float>((bytes[i] >> shift) & 3) - min;
    }
  }
}

}  // namespace

const QuantTraits kTraitsQ2_K = {QuantType::kQ2_K, "Q2_K", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

// IQ4_XS, 256 elements in 136 bytes: f16 d | u16 of upper 2 scale bits, group j in bits 2j, 2j + 1
// | 4 bytes of low scale nibbles, two groups each | 128 bytes of nibbles, 16 bytes per 32 elements
// as in IQ4_NL. value = (d * (scale - 32)) * book[q].
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 256;
constexpr int kBytes = 136;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block);
  const int scales_high = load_u16(block + 2);
  const uint8_t* scales_low = block + 4;
  const uint8_t* codes = block + 8;
  for (int group = 0; group < 8; ++group) {  // of 32 elements
    const int low = (scales_low[group / 2] >> (group % 2 * 4)) & 0x0f;
    const int high = (scales_high >> (group * 2)) & 3;
    const float scale = d * static_cast<float>((low | (high << 4)) - 32);
    for (int i = 0; i < 16; ++i) {
      const uint8_t code = codes[group * 16 + i];
      dst[group * 32 + i] = scale * static_cast<float>(kIq4Values[low_nibble(code)]);
      dst[group * 32 + i + 16] = scale * static_cast<float>(kIq4Values[high_nibble(code)]);
    }
  }
}

}  // namespace

const QuantTraits kTraitsIQ4_XS = {QuantType::kIQ4_XS, "IQ4_XS", kElements, kBytes,
                                   dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

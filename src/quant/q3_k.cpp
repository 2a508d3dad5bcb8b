// Q3_K, 256 elements in 110 bytes: 32 bytes of high bits (bit j of byte i is element 32j + i) | 64
// bytes of 2-bit codes laid out as in Q2_K | 12 bytes of sixteen 6-bit scales (bytes 0-7: low
// nibbles of 0-7, then of 8-15; bytes 8-11: upper two bits, four to a byte) | f16 d. value = (d *
// (scale - 32)) * (q - (high bit ? 0 : 4)).
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 256;
constexpr int kBytes = 110;

void decode(const uint8_t* block, float* dst) {
  const uint8_t* high_bits = block;
  const uint8_t* codes = block + 32;
  const uint8_t* scales = block + 96;
  const float d = load_f16(block + 108);
  for (int group = 0; group < 16; ++group) {  // of 16 elements
    const int low = (scales[group % 8] >> (group / 8 * 4)) & 0x0f;
    const int high = (scales[8 + group % 4] >> (group / 4 * 2)) & 0x03;
    const float scale = d * static_cast<float>((low | (high << 4)) - 32);
    const uint8_t* bytes = codes + (group / 8) * 32 + (group % 2) * 16;
    const uint8_t* masks = high_bits + (group % 2) * 16;
    const int shift = (group / 2 % 4) * 2;
    for (int i = 0; i < 16; ++i) {
      const int offset = ((masks[i] >> (group / 2)) & 1) != 0 ? 0 : 4;
      dst[group * 16 + i] = scale * static_cast<float>(((bytes[i] >> shift) & 3) - offset);
    }
  }
}

}  // namespace

const QuantTraits kTraitsQ3_K = {QuantType::kQ3_K, "Q3_K", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

// Q6_K, 256 elements in 210 bytes: 128 bytes of low nibbles | 64 bytes of upper 2 bits | 16 int8
// scales, one per 16 elements | f16 d. Per half of 128 elements: nibble byte i (0 to 63) holds
// element i low and i + 64 high; upper byte i (0 to 31) holds elements i, i + 32, i + 64, i + 96
// from its lowest bits up. value = (d * scale) * (q - 32).
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 256;
constexpr int kBytes = 210;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block + 208);
  for (int group = 0; group < 8; ++group) {  // of 32 elements
    const int half = group / 4;
    const int quarter = group % 4;
    const uint8_t* low = block + half * 64 + (quarter % 2) * 32;
    const uint8_t* high = block + 128 + half * 32;
    const int low_shift = (quarter / 2) * 4;
    const int high_shift = quarter * 2;
    for (int i = 0; i < 32; ++i) {
      const auto scale = static_cast<int8_t>(block[192 + group * 2 + i / 16]);
      const int q = ((low[i] >> low_shift) & 0x0f) | (((high[i] >> high_shift) & 3) << 4);
      dst[group * 32 + i] = (d * static_cast<float>(scale)) * static_cast<float>(q - 32);
    }
  }
}

}  // namespace

const QuantTraits kTraitsQ6_K = {QuantType::kQ6_K, "Q6_K", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

// MXFP4 (OCP microscaling), 32 elements in 17 bytes: e8m0 exponent | 16 bytes of nibbles (element i
// low, element i + 16 high), each an e2m1 float. The code book holds twice the e2m1 values, so the
// scale is half of 2^(e - 127); that makes e = 0 and e = 1 subnormal. value = scale * book[q].
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 32;
constexpr int kBytes = 17;
constexpr int8_t kValues[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

void decode(const uint8_t* block, float* dst) {
  const uint32_t exponent = block[0];
  const float scale = f32_from_bits(exponent < 2 ? 0x00200000U << exponent : (exponent - 1) << 23);
  for (int i = 0; i < 16; ++i) {
    dst[i] = scale * static_cast<float>(kValues[low_nibble(block[1 + i])]);
    dst[i + 16] = scale * static_cast<float>(kValues[high_nibble(block[1 + i])]);
  }
}

}  // namespace

const QuantTraits kTraitsMXFP4 = {QuantType::kMXFP4, "MXFP4", kElements, kBytes,
                                  dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

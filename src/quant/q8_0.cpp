// Q8_0, 32 elements in 34 bytes: f16 d | 32 int8. value = d * q.
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 32;
constexpr int kBytes = 34;

void decode(const uint8_t* block, float* dst) {
  const float d = load_f16(block);
  for (int i = 0; i < 32; ++i) dst[i] = d * static_cast<float>(static_cast<int8_t>(block[2 + i]));
}

}  // namespace

const QuantTraits kTraitsQ8_0 = {QuantType::kQ8_0, "Q8_0", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

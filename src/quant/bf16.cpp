// BF16: the upper half of an IEEE binary32.
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 1;
constexpr int kBytes = 2;

void decode(const uint8_t* block, float* dst) {
  dst[0] = bf16_to_f32(load_u16(block));
}

}  // namespace

const QuantTraits kTraitsBF16 = {QuantType::kBF16, "BF16", kElements, kBytes,
                                 dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

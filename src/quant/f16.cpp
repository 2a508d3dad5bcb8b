// F16: IEEE binary16.
#include "quant/f16.h"

#include "quant/all_types.h"
#include "quant/blocks.h"

namespace twostroke {
namespace {

constexpr int kElements = 1;
constexpr int kBytes = 2;

void decode(const uint8_t* block, float* dst) {
  dst[0] = load_f16(block);
}

}  // namespace

const QuantTraits kTraitsF16 = {QuantType::kF16, "F16", kElements, kBytes,
                                dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

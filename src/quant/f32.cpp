// F32: little-endian IEEE binary32, as it is.
#include "quant/all_types.h"
#include "quant/blocks.h"
#include "quant/f16.h"

namespace twostroke {
namespace {

constexpr int kElements = 1;
constexpr int kBytes = 4;

void decode(const uint8_t* block, float* dst) {
  dst[0] = f32_from_bits(load_u16(block) | (static_cast<uint32_t>(load_u16(block + 2)) << 16));
}

}  // namespace

const QuantTraits kTraitsF32 = {QuantType::kF32, "F32", kElements, kBytes,
                                dequantize_blocks<kElements, kBytes, decode>};

}  // namespace twostroke

// What the tests of packing and matmul share: tensors of random but sane file bytes, and packing.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "kernels/kernel_test_util.h"
#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "quant/f16.h"
#include "quant/quant_type.h"

namespace twostroke {

// Offsets of the f16 numbers in a block of the file (MXFP4: none, its exponent is byte 0).
inline std::vector<int> f16_offsets(QuantType type) {
  switch (type) {
    case QuantType::kQ4_1:
    case QuantType::kQ5_1:
    case QuantType::kQ4_K:
    case QuantType::kQ5_K:
      return {0, 2};
    case QuantType::kQ2_K:
      return {80, 82};
    case QuantType::kQ3_K:
      return {108};
    case QuantType::kQ6_K:
      return {208};
    case QuantType::kMXFP4:
      return {};
    default:
      return {0};
  }
}

// [n, k] as a file holds it: random codes and scales, constants of either sign around 0.01.
inline std::vector<uint8_t> random_tensor(QuantType type, int n, int k, uint32_t seed) {
  const QuantTraits& traits = quant_traits(type);
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(static_cast<size_t>(traits.bytes_for(int64_t{n} * k)));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  const bool floats =
      type == QuantType::kF32 || type == QuantType::kF16 || type == QuantType::kBF16;
  const auto small = [&] {
    const float sign = (random() & 1) != 0 ? 1.0F : -1.0F;
    return sign * (0.001F + 0.02F * static_cast<float>(random() % 1000) / 1000.0F);
  };
  for (size_t b = 0; b < bytes.size(); b += static_cast<size_t>(traits.block_bytes)) {
    if (type == QuantType::kF32) {
      const float value = small();
      std::memcpy(&bytes[b], &value, 4);
      continue;
    }
    if (type == QuantType::kMXFP4) bytes[b] = static_cast<uint8_t>(118 + random() % 10);
    for (int offset : floats ? std::vector<int>{0} : f16_offsets(type)) {
      const uint16_t half = type == QuantType::kBF16 ? f32_to_bf16(small()) : f32_to_f16(small());
      std::memcpy(&bytes[b + static_cast<size_t>(offset)], &half, 2);
    }
  }
  return bytes;
}

struct PackedTensor {
  std::vector<uint8_t> file;
  AlignedBytes data;
  PanelMatrix matrix;
};

inline PackedTensor pack_tensor(QuantType type, int n, int k, uint32_t seed) {
  PackedTensor t;
  t.file = random_tensor(type, n, k, seed);
  t.data = AlignedBytes(panel_bytes(type, k) * static_cast<size_t>(num_panels(n)));
  t.matrix = panel_matrix(t.data.data(), type, n, k);
  for (int p = 0; p < num_panels(n); ++p) {
    pack_panel(type, n, k, t.file.data(), p,
               t.data.data() + t.matrix.panel_bytes * static_cast<size_t>(p));
  }
  return t;
}

}  // namespace twostroke

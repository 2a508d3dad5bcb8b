// What the bits of a tensor mean: the supported quantisation types and how each turns back into
// floats. One file per type holds its layout and scalar dequantisation, which is the specification;
// fast paths live in kernels. Knows no file format. Stateless, any thread.
#pragma once

#include <cstdint>
#include <span>

namespace twostroke {

// ggml's own numbers, as tensor directories of GGUF files hold them.
enum class QuantType : int {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ4_NL = 20,
  kIQ4_XS = 23,
  kBF16 = 30,
  kMXFP4 = 39,
};

struct QuantTraits {
  QuantType type;
  const char* name;    // as ggml spells it: "Q4_1"
  int block_elements;  // consecutive elements of a row that share one block
  int block_bytes;
  // Bit for bit what Python's `gguf` package computes. `src` needs no alignment.
  // REQUIRES: num_elements is a multiple of block_elements; src holds that many blocks.
  void (*dequantize)(const uint8_t* src, float* dst, int64_t num_elements);

  // REQUIRES: num_elements is a multiple of block_elements.
  int64_t bytes_for(int64_t num_elements) const {
    return num_elements / block_elements * block_bytes;
  }
};

// nullptr when this build cannot read the type.
const QuantTraits* find_quant_traits(int ggml_type);
// For types that are known to be supported: every enumerator is.
const QuantTraits& quant_traits(QuantType type);
// All supported types, by number.
std::span<const QuantTraits* const> all_quant_traits();

}  // namespace twostroke

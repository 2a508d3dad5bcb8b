// The numbers of the GGUF format: metadata value types, and the block geometry of every tensor type
// that ggml has defined. Geometry only, enough to check sizes: what the bits mean is the business
// of quant.
#pragma once

#include <cstdint>
#include <string>

namespace twostroke {

enum class GgufValueType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

// "uint32", "string", …; "unknown type 77" for a number the format does not define.
std::string gguf_value_type_name(GgufValueType type);
// Bytes of one scalar; 0 for string, array and unknown types.
uint64_t gguf_scalar_bytes(GgufValueType type);

struct GgmlTypeGeometry {
  int type;            // ggml's number
  const char* name;    // as ggml spells it: "Q4_1"
  int block_elements;  // consecutive elements of the innermost dimension that share one block
  int block_bytes;
};

// nullptr for numbers that ggml never used or has withdrawn.
const GgmlTypeGeometry* find_ggml_type(int ggml_type);
// "Q4_1", or "type 77" where the number is unknown.
std::string ggml_type_name(int ggml_type);

}  // namespace twostroke

#include "gguf/gguf_types.h"

#include <fmt/format.h>

#include <array>

namespace twostroke {
namespace {

struct ScalarType {
  const char* name;
  uint64_t bytes;  // 0: not a scalar
};

// Indexed by GgufValueType.
constexpr std::array<ScalarType, 13> kValueTypes = {{{"uint8", 1},
                                                     {"int8", 1},
                                                     {"uint16", 2},
                                                     {"int16", 2},
                                                     {"uint32", 4},
                                                     {"int32", 4},
                                                     {"float32", 4},
                                                     {"bool", 1},
                                                     {"string", 0},
                                                     {"array", 0},
                                                     {"uint64", 8},
                                                     {"int64", 8},
                                                     {"float64", 8}}};

// Numbers 4, 5, 31-33 and 36-38 were withdrawn by ggml.
constexpr GgmlTypeGeometry kGgmlTypes[] = {
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},
    {3, "Q4_1", 32, 20},      {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},
    {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 40},      {10, "Q2_K", 256, 84},
    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66},
    {17, "IQ2_XS", 256, 74},  {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
    {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},  {22, "IQ2_S", 256, 82},
    {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},
    {29, "IQ1_M", 256, 56},   {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},
    {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},    {40, "NVFP4", 64, 36},
    {41, "Q1_0", 128, 18},
};

}  // namespace

std::string gguf_value_type_name(GgufValueType type) {
  const auto index = static_cast<size_t>(type);
  if (index >= kValueTypes.size()) return fmt::format("unknown type {}", index);
  return kValueTypes[index].name;
}

uint64_t gguf_scalar_bytes(GgufValueType type) {
  const auto index = static_cast<size_t>(type);
  return index < kValueTypes.size() ? kValueTypes[index].bytes : 0;
}

const GgmlTypeGeometry* find_ggml_type(int ggml_type) {
  for (const GgmlTypeGeometry& geometry : kGgmlTypes) {
    if (geometry.type == ggml_type) return &geometry;
  }
  return nullptr;
}

std::string ggml_type_name(int ggml_type) {
  const GgmlTypeGeometry* geometry = find_ggml_type(ggml_type);
  return geometry != nullptr ? geometry->name : fmt::format("type {}", ggml_type);
}

}  // namespace twostroke

// Where the bits of a weight lie in a panel, for every type with an integer kernel. Shared by the
// packer, which writes panels, and by the kernels of every ISA, which read them. Constants only.
//
// A panel is 16 weight rows x k, cut along K into blocks of the file's block size (32 or 256 = 1 or
// 8 groups of 32). A block holds, for all 16 rows, in the order in which they are read (memory is
// streamed forwards: planes gathered by kind cost up to three quarters of the read bandwidth),
//   constants   [constant_bytes / 32][16 rows] f16: d, then the scale of the minima
//               (MXFP4: [16 rows] exponent bytes)
//   groups      each: low bits     one plane of 512 codes, 64 * low_bits bytes
//                     high bits    one plane of 512 codes (3-, 5- and 6-bit types)
//                     scales       [scale_bytes / 16][16 rows] bytes, the file's fields
// In a plane of b-bit codes, element i of the group (i = 4 j + c, 0 <= c < 4) of row r lies in byte
// 64 * (j % b) + 4 r + c, from bit b * (j / b) on. So one 64-byte load, shifted and masked, is what
// vpdpbusd wants: lane = row, four consecutive K in each lane; and its two halves are what AVX2
// wants.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace twostroke {

// How the integer dots of a group become a contribution to the output; the order of operations is
// in kernels/scalar/matmul.cpp.
enum class PanelForm {
  kSymmetric,        // codes are moved up in their byte until their zero is 128; one scale
  kMinimum,          // unsigned codes, one scale and one minimum
  kSymmetricHalves,  // one scale per 16 elements
  kMinimumHalves,    // one scale and one minimum per 16 elements
};

struct PanelLayout {
  int type;    // ggml's number
  int groups;  // groups of 32 in a block
  int low_bits;
  int high_bits;
  int scale_bytes;
  int constant_bytes;
  PanelForm form;

  constexpr int constants() const { return 0; }
  constexpr int low(int group) const { return constant_bytes + group_bytes() * group; }
  constexpr int high(int group) const { return low(group) + 64 * low_bits; }
  constexpr int scales(int group) const { return high(group) + 64 * high_bits; }
  constexpr int group_bytes() const { return 64 * bits() + scale_bytes; }
  constexpr int block_bytes() const { return low(groups); }
  constexpr int bits() const { return low_bits + high_bits; }
  constexpr bool has_minimum() const {
    return form == PanelForm::kMinimum || form == PanelForm::kMinimumHalves;
  }
  constexpr bool has_halves() const {
    return form == PanelForm::kSymmetricHalves || form == PanelForm::kMinimumHalves;
  }
};

namespace {

constexpr PanelLayout kPanelQ4_0 = {2, 1, 4, 0, 0, 32, PanelForm::kSymmetric};
constexpr PanelLayout kPanelQ4_1 = {3, 1, 4, 0, 0, 64, PanelForm::kMinimum};
constexpr PanelLayout kPanelQ5_0 = {6, 1, 4, 1, 0, 32, PanelForm::kSymmetric};
constexpr PanelLayout kPanelQ5_1 = {7, 1, 4, 1, 0, 64, PanelForm::kMinimum};
// Stored as q + 128.
constexpr PanelLayout kPanelQ8_0 = {8, 1, 8, 0, 0, 32, PanelForm::kSymmetric};
// Scale byte: scale in the low nibble, minimum in the high one.
constexpr PanelLayout kPanelQ2_K = {10, 8, 2, 0, 32, 64, PanelForm::kMinimumHalves};
constexpr PanelLayout kPanelQ3_K = {11, 8, 2, 1, 32, 32, PanelForm::kSymmetricHalves};
// Scale bytes: scale, minimum.
constexpr PanelLayout kPanelQ4_K = {12, 8, 4, 0, 32, 64, PanelForm::kMinimum};
constexpr PanelLayout kPanelQ5_K = {13, 8, 4, 1, 32, 64, PanelForm::kMinimum};
constexpr PanelLayout kPanelQ6_K = {14, 8, 4, 2, 32, 32, PanelForm::kSymmetricHalves};
constexpr PanelLayout kPanelIQ4_NL = {20, 1, 4, 0, 0, 32, PanelForm::kSymmetric};
constexpr PanelLayout kPanelIQ4_XS = {23, 8, 4, 0, 16, 32, PanelForm::kSymmetric};
constexpr PanelLayout kPanelMXFP4 = {39, 1, 4, 0, 0, 16, PanelForm::kSymmetric};

// Types whose codes stand for the entries of a table.
constexpr bool is_table_type(const PanelLayout& layout) {
  return layout.type == kPanelIQ4_NL.type || layout.type == kPanelIQ4_XS.type ||
         layout.type == kPanelMXFP4.type;
}
// The integer dots of a symmetric type take its codes moved up in their byte, so that the zero of
// every type is 128; this factor on d moves them back. Exact.
constexpr float scale_factor(const PanelLayout& layout) {
  if (layout.has_minimum() || is_table_type(layout)) return 1.0F;
  return 1.0F / static_cast<float>(1 << (8 - layout.bits()));
}
// On the scale of the minima. K-quants subtract their minima; Q2_K's are multiplied with bias16,
// which is -128 * sum(q).
constexpr float minimum_factor(const PanelLayout& layout) {
  if (layout.form == PanelForm::kMinimumHalves) return 0x1p-7F;
  return layout.groups == 1 ? 1.0F : -1.0F;
}

// What the codes of the table types stand for, + 128.
alignas(16) constexpr uint8_t kIq4Codes[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                               129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) constexpr uint8_t kMxfp4Codes[16] = {128, 129, 130, 131, 132, 134, 136, 140,
                                                 128, 127, 126, 125, 124, 122, 120, 116};

}  // namespace
}  // namespace twostroke

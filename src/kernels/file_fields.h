// Internal to pack.cpp: where a file's blocks keep the fields that a panel takes: codes, scales,
// constants. One entry per type; quant/<type>.cpp says what they mean.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/panel_layout.h"

namespace twostroke {

struct Field {
  uint8_t byte;  // within the file's block
  uint8_t shift;
};

// `bits` of a byte of the file that become bits from `to` on of a panel's scale byte.
struct ScaleField {
  uint8_t byte;
  uint8_t shift;
  uint8_t bits;  // 0: not used
  uint8_t to;
};

struct FileLayout {
  PanelLayout panel;
  int block_bytes = 0;
  int constants = 0;  // offset of d; d and minimum scale lie together
  // The low plane of group g is the bytes [verbatim + g * 4 * low_bits, + 4 * low_bits) of the
  // block as they are, but for the bits of `flip`; -1: see `low`.
  int verbatim = -1;
  uint32_t flip = 0;
  std::array<Field, 256> low{};
  std::array<Field, 256> high{};
  ScaleField scales[8][2][2] = {};  // [group][scale byte][part]

  int block_elements() const { return panel.groups * 32; }
};

// nullptr: the type has no integer kernel.
const FileLayout* find_file_layout(int type);

}  // namespace twostroke

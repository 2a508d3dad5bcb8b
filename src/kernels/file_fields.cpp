#include "kernels/file_fields.h"

namespace twostroke {
namespace {

constexpr Field field(int byte, int shift) {
  return {static_cast<uint8_t>(byte), static_cast<uint8_t>(shift)};
}
constexpr ScaleField part(int byte, int shift, int bits, int to) {
  return {static_cast<uint8_t>(byte), static_cast<uint8_t>(shift), static_cast<uint8_t>(bits),
          static_cast<uint8_t>(to)};
}

// Types of one 32-element block: f16 constants first, codes last.
constexpr FileLayout simple(PanelLayout panel, int constant_bytes, uint32_t flip = 0) {
  FileLayout f{.panel = panel};
  f.verbatim = constant_bytes + 4 * panel.high_bits;
  f.block_bytes = f.verbatim + 4 * panel.low_bits;
  f.flip = flip;
  for (int i = 0; i < 32 && panel.high_bits == 1; ++i) {
    f.high[static_cast<size_t>(i)] = field(constant_bytes + i / 8, i % 8);
  }
  return f;
}

// Calls set(element of the block, group, element of the group).
template <typename Set>
constexpr void for_each_element(Set set) {
  for (int e = 0; e < 256; ++e) set(static_cast<size_t>(e), e / 32, e % 32);
}

constexpr FileLayout q2_k() {
  FileLayout f{.panel = kPanelQ2_K, .block_bytes = 84, .constants = 80};
  for_each_element(
      [&](size_t e, int g, int i) { f.low[e] = field(16 + g / 4 * 32 + i, g % 4 * 2); });
  for (int g = 0; g < 8; ++g) {
    for (int half = 0; half < 2; ++half) f.scales[g][half][0] = part(2 * g + half, 0, 8, 0);
  }
  return f;
}

constexpr FileLayout q3_k() {
  FileLayout f{.panel = kPanelQ3_K, .block_bytes = 110, .constants = 108};
  for_each_element([&](size_t e, int g, int i) {
    f.low[e] = field(32 + g / 4 * 32 + i, g % 4 * 2);
    f.high[e] = field(i, g);
  });
  for (int s = 0; s < 16; ++s) {
    f.scales[s / 2][s % 2][0] = part(96 + s % 8, s / 8 * 4, 4, 0);
    f.scales[s / 2][s % 2][1] = part(104 + s % 4, s / 4 * 2, 2, 4);
  }
  return f;
}

// The twelve bytes of 6-bit scales and minima of Q4_K and Q5_K.
constexpr void set_k_scales(FileLayout& f) {
  constexpr int kAt = 4;
  for (int g = 0; g < 4; ++g) {
    f.scales[g][0][0] = part(kAt + g, 0, 6, 0);
    f.scales[g][1][0] = part(kAt + 4 + g, 0, 6, 0);
    f.scales[g + 4][0][0] = part(kAt + 8 + g, 0, 4, 0);
    f.scales[g + 4][0][1] = part(kAt + g, 6, 2, 4);
    f.scales[g + 4][1][0] = part(kAt + 8 + g, 4, 4, 0);
    f.scales[g + 4][1][1] = part(kAt + 4 + g, 6, 2, 4);
  }
}

constexpr FileLayout q4_k() {
  FileLayout f{.panel = kPanelQ4_K, .block_bytes = 144};
  for_each_element(
      [&](size_t e, int g, int i) { f.low[e] = field(16 + g / 2 * 32 + i, g % 2 * 4); });
  set_k_scales(f);
  return f;
}

constexpr FileLayout q5_k() {
  FileLayout f{.panel = kPanelQ5_K, .block_bytes = 176};
  for_each_element([&](size_t e, int g, int i) {
    f.low[e] = field(48 + g / 2 * 32 + i, g % 2 * 4);
    f.high[e] = field(16 + i, g);
  });
  set_k_scales(f);
  return f;
}

constexpr FileLayout q6_k() {
  FileLayout f{.panel = kPanelQ6_K, .block_bytes = 210, .constants = 208};
  for_each_element([&](size_t e, int g, int i) {
    f.low[e] = field(g / 4 * 64 + g % 2 * 32 + i, g % 4 / 2 * 4);
    f.high[e] = field(128 + g / 4 * 32 + i, g % 4 * 2);
  });
  for (int g = 0; g < 8; ++g) {
    for (int half = 0; half < 2; ++half) f.scales[g][half][0] = part(192 + 2 * g + half, 0, 8, 0);
  }
  return f;
}

constexpr FileLayout iq4_xs() {
  FileLayout f{.panel = kPanelIQ4_XS, .block_bytes = 136, .verbatim = 8};
  for (int g = 0; g < 8; ++g) {
    f.scales[g][0][0] = part(4 + g / 2, g % 2 * 4, 4, 0);
    f.scales[g][0][1] = part(2 + g / 4, g % 4 * 2, 2, 4);
  }
  return f;
}

constexpr FileLayout kLayouts[] = {
    simple(kPanelQ4_0, 2),
    simple(kPanelQ4_1, 4),
    simple(kPanelQ5_0, 2),
    simple(kPanelQ5_1, 4),
    simple(kPanelQ8_0, 2, 0x80808080U),
    simple(kPanelIQ4_NL, 2),
    simple(kPanelMXFP4, 1),
    q2_k(),
    q3_k(),
    q4_k(),
    q5_k(),
    q6_k(),
    iq4_xs(),
};

}  // namespace

const FileLayout* find_file_layout(int type) {
  for (const FileLayout& layout : kLayouts) {
    if (layout.panel.type == type) return &layout;
  }
  return nullptr;
}

}  // namespace twostroke

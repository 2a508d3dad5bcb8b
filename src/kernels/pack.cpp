#include "kernels/pack.h"

#include <cstring>

#include "base/check.h"
#include "kernels/file_fields.h"
#include "kernels/panel_layout.h"

namespace twostroke {
namespace {

// The byte (of row 0; row r is 4 r further) and the lowest bit of one element of a plane.
struct Place {
  int byte;
  int shift;
};
constexpr Place place(int bits, int element) {
  const int j = element / 4;
  return {64 * (j % bits) + element % 4, bits * (j / bits)};
}

constexpr uint8_t low_mask(int bits) {
  return static_cast<uint8_t>((1U << bits) - 1U);
}

// Moves one field of `bits` bits; the target's bits are still zero.
void move_bits(uint8_t from, int from_shift, int bits, uint8_t& to, int to_shift) {
  const int value = (from >> from_shift) & low_mask(bits);
  to = static_cast<uint8_t>(to | (value << to_shift));
}

uint32_t load_word(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}
void store_word(uint8_t* p, uint32_t word) {
  std::memcpy(p, &word, sizeof(word));
}

// A plane that is a run of the file's bytes, four at a time.
void copy_words(const uint8_t* src, ptrdiff_t src_step, uint8_t* dst, ptrdiff_t dst_step, int words,
                uint32_t flip) {
  for (int j = 0; j < words; ++j) {
    store_word(dst + dst_step * j, load_word(src + src_step * j) ^ flip);
  }
}

// Whether each four elements lie in four neighbouring bytes (all but the fifth bits of Q5_0, Q5_1).
bool lie_in_words(const Field* fields) {
  return fields[1].byte == fields[0].byte + 1;
}

template <int kBits>
void pack_codes(const Field* fields, const uint8_t* src, uint8_t* plane) {
  if (lie_in_words(fields)) {
    for (int i = 0; i < kGroup; i += 4) {
      const Place to = place(kBits, i);
      const uint32_t codes =
          (load_word(src + fields[i].byte) >> fields[i].shift) & (low_mask(kBits) * 0x01010101U);
      store_word(plane + to.byte, load_word(plane + to.byte) | (codes << to.shift));
    }
    return;
  }
  for (int i = 0; i < kGroup; ++i) {
    const Place to = place(kBits, i);
    move_bits(src[fields[i].byte], fields[i].shift, kBits, plane[to.byte], to.shift);
  }
}

template <int kBits>
void unpack_codes(const Field* fields, const uint8_t* plane, uint8_t* dst) {
  if (lie_in_words(fields)) {
    for (int i = 0; i < kGroup; i += 4) {
      const Place from = place(kBits, i);
      const uint32_t codes =
          (load_word(plane + from.byte) >> from.shift) & (low_mask(kBits) * 0x01010101U);
      uint8_t* to = dst + fields[i].byte;
      store_word(to, load_word(to) | (codes << fields[i].shift));
    }
    return;
  }
  for (int i = 0; i < kGroup; ++i) {
    const Place from = place(kBits, i);
    move_bits(plane[from.byte], from.shift, kBits, dst[fields[i].byte], fields[i].shift);
  }
}

using CodesFn = void (*)(const Field*, const uint8_t*, uint8_t*);
CodesFn pack_codes_fn(int bits) {
  return bits == 4 ? pack_codes<4> : bits == 2 ? pack_codes<2> : pack_codes<1>;
}
CodesFn unpack_codes_fn(int bits) {
  return bits == 4 ? unpack_codes<4> : bits == 2 ? unpack_codes<2> : unpack_codes<1>;
}

void pack_block(const FileLayout& file, const uint8_t* src, int row, uint8_t* block) {
  const PanelLayout& panel = file.panel;
  for (int g = 0; g < panel.groups; ++g) {
    uint8_t* low = block + panel.low(g) + 4 * row;
    if (file.verbatim >= 0) {
      copy_words(src + file.verbatim + 4 * panel.low_bits * g, 4, low, 64, panel.low_bits,
                 file.flip);
    } else {
      pack_codes_fn(panel.low_bits)(&file.low[static_cast<size_t>(32 * g)], src, low);
    }
    if (panel.high_bits != 0) {
      pack_codes_fn(panel.high_bits)(&file.high[static_cast<size_t>(32 * g)], src,
                                     block + panel.high(g) + 4 * row);
    }
    for (int s = 0; s < panel.scale_bytes / kPanelRows; ++s) {
      uint8_t& scale = block[panel.scales(g) + kPanelRows * s + row];
      for (const ScaleField& f : file.scales[g][s]) {
        move_bits(src[f.byte], f.shift, f.bits, scale, f.to);
      }
    }
  }
  const int unit = panel.constant_bytes == kPanelRows ? 1 : 2;
  for (int c = 0; c * kPanelRows * unit < panel.constant_bytes; ++c) {
    std::memcpy(block + panel.constants() + unit * (kPanelRows * c + row),
                src + file.constants + unit * c, static_cast<size_t>(unit));
  }
}

void unpack_block(const FileLayout& file, const uint8_t* block, int row, uint8_t* dst) {
  const PanelLayout& panel = file.panel;
  for (int g = 0; g < panel.groups; ++g) {
    const uint8_t* low = block + panel.low(g) + 4 * row;
    if (file.verbatim >= 0) {
      copy_words(low, 64, dst + file.verbatim + 4 * panel.low_bits * g, 4, panel.low_bits,
                 file.flip);
    } else {
      unpack_codes_fn(panel.low_bits)(&file.low[static_cast<size_t>(32 * g)], low, dst);
    }
    if (panel.high_bits != 0) {
      unpack_codes_fn(panel.high_bits)(&file.high[static_cast<size_t>(32 * g)],
                                       block + panel.high(g) + 4 * row, dst);
    }
    for (int s = 0; s < panel.scale_bytes / kPanelRows; ++s) {
      const uint8_t scale = block[panel.scales(g) + kPanelRows * s + row];
      for (const ScaleField& f : file.scales[g][s]) {
        move_bits(scale, f.to, f.bits, dst[f.byte], f.shift);
      }
    }
  }
  const int unit = panel.constant_bytes == kPanelRows ? 1 : 2;
  for (int c = 0; c * kPanelRows * unit < panel.constant_bytes; ++c) {
    std::memcpy(dst + file.constants + unit * c,
                block + panel.constants() + unit * (kPanelRows * c + row),
                static_cast<size_t>(unit));
  }
}

const QuantTraits& traits_of(int type) {
  return quant_traits(static_cast<QuantType>(type));
}

size_t row_bytes(int type, int k) {
  return static_cast<size_t>(traits_of(type).bytes_for(k));
}

const FileLayout* integer_layout(int type, int k) {
  const FileLayout* file = find_file_layout(type);
  return file != nullptr && k % file->block_elements() == 0 ? file : nullptr;
}

size_t round_up(size_t value, size_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

bool has_integer_path(QuantType type, int k) {
  return integer_layout(static_cast<int>(type), k) != nullptr;
}

size_t panel_bytes(QuantType type, int k) {
  const int number = static_cast<int>(type);
  if (const FileLayout* file = integer_layout(number, k)) {
    return static_cast<size_t>(file->panel.block_bytes()) *
           static_cast<size_t>(k / file->block_elements());
  }
  return kPanelRows * row_bytes(number, k);
}

PanelMatrix panel_matrix(const uint8_t* data, QuantType type, int n, int k) {
  return {data, panel_bytes(type, k), n, k, static_cast<int>(type)};
}

void pack_panel(QuantType type, int n, int k, const uint8_t* tensor, int panel, uint8_t* dst) {
  const int number = static_cast<int>(type);
  const FileLayout* file = integer_layout(number, k);
  const size_t bytes = row_bytes(number, k);
  std::memset(dst, 0, panel_bytes(type, k));
  for (int r = 0; r < kPanelRows && panel * kPanelRows + r < n; ++r) {
    const uint8_t* src = tensor + bytes * static_cast<size_t>(panel * kPanelRows + r);
    if (file == nullptr) {
      std::memcpy(dst + bytes * static_cast<size_t>(r), src, bytes);
      continue;
    }
    for (int b = 0; b < k / file->block_elements(); ++b) {
      pack_block(*file, src + b * file->block_bytes, r, dst + b * file->panel.block_bytes());
    }
  }
}

void unpack_row(const PanelMatrix& w, int row, uint8_t* dst) {
  CHECK_LT(row, num_panels(w.n) * kPanelRows);
  const uint8_t* panel = w.data + w.panel_bytes * static_cast<size_t>(row / kPanelRows);
  const int lane = row % kPanelRows;
  const size_t bytes = row_bytes(w.type, w.k);
  const FileLayout* file = integer_layout(w.type, w.k);
  if (file == nullptr) {
    std::memcpy(dst, panel + bytes * static_cast<size_t>(lane), bytes);
    return;
  }
  std::memset(dst, 0, bytes);
  for (int b = 0; b < w.k / file->block_elements(); ++b) {
    unpack_block(*file, panel + b * file->panel.block_bytes(), lane, dst + b * file->block_bytes);
  }
}

size_t row_scratch_bytes(const PanelMatrix& w) {
  return round_up(row_bytes(w.type, w.k), 64);
}

void dequantize_row(const PanelMatrix& w, int row, float* dst, uint8_t* scratch) {
  unpack_row(w, row, scratch);
  traits_of(w.type).dequantize(scratch, dst, w.k);
}

// [k, 16] f32 | one row f32 | one row of file bytes.
size_t exact_scratch_bytes(const PanelMatrix& w) {
  const size_t row = round_up(static_cast<size_t>(w.k) * sizeof(float), 64);
  return row * (kPanelRows + 1) + row_scratch_bytes(w);
}

void matmul_exact(const Kernels& kernels, const PanelMatrix& w, int panel_begin, int panel_end,
                  const float* x, ptrdiff_t x_row_stride, int row_begin, int row_end, float* y,
                  ptrdiff_t y_row_stride, uint8_t* scratch) {
  const size_t row_floats = round_up(static_cast<size_t>(w.k) * sizeof(float), 64) / sizeof(float);
  float* panel = reinterpret_cast<float*>(scratch);
  float* row = panel + kPanelRows * row_floats;
  uint8_t* bytes = reinterpret_cast<uint8_t*>(row + row_floats);
  for (int p = panel_begin; p < panel_end; ++p) {
    for (int lane = 0; lane < kPanelRows; ++lane) {
      dequantize_row(w, p * kPanelRows + lane, row, bytes);
      for (int i = 0; i < w.k; ++i) panel[i * kPanelRows + lane] = row[i];
    }
    kernels.matmul.f32(panel, w.k, x + row_begin * x_row_stride, x_row_stride, row_end - row_begin,
                       y + row_begin * y_row_stride + p * kPanelRows, y_row_stride);
  }
}

}  // namespace twostroke

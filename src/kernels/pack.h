// Weights from a file's rows to panels and back. A panel is a permutation of the file's bits, never
// a requantisation (law 6), so a row can be taken out again exactly as the file had it. The layout
// does not depend on the ISA. Pure functions: any thread; loading packs panels in parallel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/types.h"
#include "quant/quant_type.h"

namespace twostroke {

// True when k fits the type's integer kernels (a multiple of 32, or 256 for K-quants) and the type
// has some; such weights are packed in panels. Everything else keeps its rows as they are in the
// file, 16 to a panel, and runs on the exact path alone.
bool has_integer_path(QuantType type, int k);

// Bytes of one panel of 16 rows; a multiple of 16.
size_t panel_bytes(QuantType type, int k);
inline constexpr int num_panels(int n) {
  return (n + kPanelRows - 1) / kPanelRows;
}
// An unpacked matrix over memory of num_panels(n) * panel_bytes(type, k) bytes, 64-byte aligned.
PanelMatrix panel_matrix(const uint8_t* data, QuantType type, int n, int k);

// Packs rows [panel * 16, panel * 16 + 16) of the file's tensor into `dst` (panel_bytes); rows past
// n become zeros. `tensor` is the whole tensor [n, k] as in the file, no alignment needed.
void pack_panel(QuantType type, int n, int k, const uint8_t* tensor, int panel, uint8_t* dst);

// The file's bytes of one row: the inverse of pack_panel. `dst`: bytes of one row of k elements.
void unpack_row(const PanelMatrix& w, int row, uint8_t* dst);

// One row as floats [k], bit for bit what quant::dequantize makes of the file (embedding lookup).
// `scratch`: row_scratch_bytes(w).
size_t row_scratch_bytes(const PanelMatrix& w);
void dequantize_row(const PanelMatrix& w, int row, float* dst, uint8_t* scratch);

// The exact path: panels [panel_begin, panel_end) x f32 rows; y as in MatmulFn. `scratch`:
// exact_scratch_bytes(w), 64-byte aligned, one per thread.
size_t exact_scratch_bytes(const PanelMatrix& w);
void matmul_exact(const Kernels& kernels, const PanelMatrix& w, int panel_begin, int panel_end,
                  const float* x, ptrdiff_t x_row_stride, int row_begin, int row_end, float* y,
                  ptrdiff_t y_row_stride, uint8_t* scratch);

}  // namespace twostroke

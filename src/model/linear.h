// Linear: one or more packed weight matrices that read the same input, their output columns side by
// side (q|k|v, gate|up), and the activations they read. A matrix whose type has integer kernels
// reads quantised rows, any other (and every one in exact mode) reads f32 rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "kernels/types.h"

namespace twostroke {

// Rows that a Linear reads: f32, quantised, or both, as its parts need.
struct Activations {
  float* f32 = nullptr;  // [rows, f32_stride]
  size_t f32_stride = 0;
  QuantRows quantized{};  // its k is set per use: see `with_k`

  Activations with_k(int k) const {
    Activations out = *this;
    out.f32_stride = static_cast<size_t>(k);
    out.quantized.k = k;
    return out;
  }
};

struct LinearPart {
  PanelMatrix panels{};
  int first_panel = 0;  // in the Linear's numbering; its first column is first_panel * 16
  bool integer = false;
};

struct Linear {
  std::vector<LinearPart> parts;
  int k = 0;
  int num_panels = 0;
  bool needs_f32 = false;
  bool needs_quantized = false;

  int num_columns() const { return num_panels * kPanelRows; }  // padded to whole panels per part
  int first_column(size_t part) const { return parts[part].first_panel * kPanelRows; }
  size_t weight_bytes() const;
  size_t scratch_bytes() const;  // of apply_linear, per thread

  void add_part(const PanelMatrix& panels, bool integer);
};

// y[row * y_stride + column] for the columns of panels [panel_begin, panel_end); rows index both
// `input` and `y`. `scratch`: linear.scratch_bytes(), 64-byte aligned, one per thread.
void apply_linear(const Kernels& kernels, const Linear& linear, int panel_begin, int panel_end,
                  const Activations& input, int row_begin, int row_end, float* y, size_t y_stride,
                  uint8_t* scratch);

}  // namespace twostroke

#include "model/linear.h"

#include <algorithm>

#include "base/check.h"

namespace twostroke {

size_t Linear::weight_bytes() const {
  size_t bytes = 0;
  for (const LinearPart& part : parts) {
    bytes += part.panels.panel_bytes * static_cast<size_t>(twostroke::num_panels(part.panels.n));
  }
  return bytes;
}

size_t Linear::scratch_bytes() const {
  size_t bytes = 0;
  for (const LinearPart& part : parts) {
    if (!part.integer) bytes = std::max(bytes, exact_scratch_bytes(part.panels));
  }
  return bytes;
}

void Linear::add_part(const PanelMatrix& panels, bool integer) {
  CHECK(parts.empty() || k == panels.k);
  k = panels.k;
  parts.push_back({panels, num_panels, integer});
  num_panels += twostroke::num_panels(panels.n);
  needs_quantized = needs_quantized || integer;
  needs_f32 = needs_f32 || !integer;
}

void apply_linear(const Kernels& kernels, const Linear& linear, int panel_begin, int panel_end,
                  const Activations& input, int row_begin, int row_end, float* y, size_t y_stride,
                  uint8_t* scratch) {
  const ptrdiff_t stride = static_cast<ptrdiff_t>(y_stride);
  for (const LinearPart& part : linear.parts) {
    const int begin = std::max(panel_begin, part.first_panel) - part.first_panel;
    const int end = std::min(panel_end - part.first_panel, num_panels(part.panels.n));
    if (begin >= end) continue;
    float* part_y = y + part.first_panel * kPanelRows;
    if (part.integer) {
      kernels.matmul.quantized[part.panels.type](part.panels, begin, end, input.quantized,
                                                 row_begin, row_end, part_y, stride);
    } else {
      matmul_exact(kernels, part.panels, begin, end, input.f32,
                   static_cast<ptrdiff_t>(input.f32_stride), row_begin, row_end, part_y, stride,
                   scratch);
    }
  }
}

}  // namespace twostroke

// Gemma 3 (text): scaled embeddings, norms before and after each block (their weights already hold
// the +1), q/k norms, RoPE on halves, GELU gate, five sliding-window layers to each global one.
#include <cmath>

#include "model/architectures/architecture.h"

namespace twostroke {
namespace {

constexpr int kLayersPerGlobal = 6;         // layers 5, 11, 17, ... see everything
constexpr float kLocalRopeBase = 10000.0F;  // not in the file; of the sliding-window layers
constexpr int kLayersOf27B =
    62;  // the one size whose scale comes from hidden / heads, not the head length

}  // namespace

Result<DecoderSpec> read_gemma3(const GgufFile& file) {
  DecoderSpec spec = TRY(read_common_spec(file, "gemma3"));
  spec.rope_kind = RopeKind::kNeox;
  spec.activation = Activation::kGeluTanh;
  spec.has_qk_norm = true;
  spec.has_post_norms = true;
  spec.embedding_scale = static_cast<float>(std::sqrt(double(spec.hidden_size)));
  if (spec.num_layers == kLayersOf27B) {
    spec.attention_scale =
        static_cast<float>(1.0 / std::sqrt(double(spec.hidden_size) / spec.num_heads));
  }
  spec.sliding_window =
      static_cast<int>(TRY(file.get_u32_or("gemma3.attention.sliding_window", 0)));
  if (spec.sliding_window > 0) {
    spec.rope_local.rope_dim = spec.rope.rope_dim;
    spec.rope_local.freq_base = TRY(file.get_f32_or("gemma3.rope.freq_base_swa", kLocalRopeBase));
    const uint32_t layers_per_global =
        file.find_u32("gemma3.attention.sliding_window_pattern").value_or(kLayersPerGlobal);
    if (layers_per_global < 1) {
      return Error{ErrorCode::kCorrupt,
                   "gemma3.attention.sliding_window_pattern: expected at least 1, found 0",
                   "gemma3.attention.sliding_window_pattern"};
    }
    for (int layer = 0; layer < spec.num_layers; ++layer) {
      spec.layer_is_local[static_cast<size_t>(layer)] =
          (static_cast<uint32_t>(layer) + 1) % layers_per_global != 0;
    }
  }
  return spec;
}

}  // namespace twostroke

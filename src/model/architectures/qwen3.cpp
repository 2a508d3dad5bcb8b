// Qwen3 (dense): no biases, an RMS norm on every query and key head before RoPE on halves.
#include "model/architectures/architecture.h"

namespace twostroke {

Result<DecoderSpec> read_qwen3(const GgufFile& file) {
  DecoderSpec spec = TRY(read_common_spec(file, "qwen3"));
  spec.rope_kind = RopeKind::kNeox;
  spec.has_qk_norm = true;
  return spec;
}

}  // namespace twostroke

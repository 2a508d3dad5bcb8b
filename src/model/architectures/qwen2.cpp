// Qwen2 and Qwen2.5: as Llama, with biases on q, k and v and RoPE on halves.
#include "model/architectures/architecture.h"

namespace twostroke {

Result<DecoderSpec> read_qwen2(const GgufFile& file) {
  DecoderSpec spec = TRY(read_common_spec(file, "qwen2"));
  spec.rope_kind = RopeKind::kNeox;
  spec.has_qkv_bias = true;
  return spec;
}

}  // namespace twostroke

// Llama, and the families converted as it (Mistral, SmolLM2, ...): RMS norms, RoPE on adjacent
// pairs (the converter permuted q and k for it), grouped-query attention, SiLU-gated feed-forward.
#include "model/architectures/architecture.h"

namespace twostroke {

Result<DecoderSpec> read_llama(const GgufFile& file) {
  DecoderSpec spec = TRY(read_common_spec(file, "llama"));
  spec.rope_kind = RopeKind::kNorm;
  // Some members of the family carry projection biases; the tensors say so.
  spec.has_qkv_bias = file.find_tensor("blk.0.attn_q.bias") != nullptr;
  if (TRY(file.get_u32_or("llama.expert_count", 0)) > 0) {
    return Error{ErrorCode::kUnsupported, "llama: mixture-of-experts models are not supported",
                 "llama.expert_count"};
  }
  return spec;
}

}  // namespace twostroke
